package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.pack.FrameSettings;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.tier.s3.FaultProxy;
import io.gpusnap.node.tier.s3.FaultProxy.Fault;
import io.gpusnap.node.tier.s3.S3Server;
import io.gpusnap.node.tier.s3.S3Store;
import org.junit.jupiter.api.Test;

/** What a node tells of a shared tier. */
class TierHealthTest {

    @Test
    void aBucketThatHadTroubleIsWellAgainForWhoeverLooksThoughNobodyUsesIt() throws Exception {
        S3Server server = S3Server.shared();
        try (FaultProxy proxy = new FaultProxy(server.endpoint());
                PackTier tier = new PackTier(
                        PackSettings.of("s3"),
                        new S3Store(S3Server.settings(server.bucket(), proxy.endpoint())),
                        FrameSettings.none())) {
            assertThat(Tiers.state(tier).trouble()).isEmpty();
            // given an operation that met an outage, after which no more come
            proxy.spoil(seen -> new Fault.Status(503));
            assertThatExceptionOfType(TierException.class).isThrownBy(tier::refresh);
            assertThat(Tiers.state(tier).trouble()).isPresent();
            // when it is over
            proxy.spoil(seen -> new Fault.None());
            // then
            assertThat(Tiers.state(tier).trouble()).isEmpty();
            assertThat(tier.trouble()).isEmpty();
        }
    }
}
