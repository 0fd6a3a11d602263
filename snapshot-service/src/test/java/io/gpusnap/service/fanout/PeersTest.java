package io.gpusnap.service.fanout;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.PeerKey;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.security.NodeSessionToken;
import io.gpusnap.service.snapshot.Moves;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.FakeDaemon;
import io.gpusnap.service.testing.FakeSharedStore;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.tier.Store;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

@ServiceTest
class PeersTest {
    private static final String CERTIFICATE = "ab".repeat(32);

    @Autowired
    private Api api;

    @Autowired
    private Moves moves;

    private final FakeSharedStore bucket = new FakeSharedStore();
    private FakeDaemon holder;
    private String snapshot;

    @BeforeEach
    void givenASnapshotOnANodeAndInABucket() {
        holder = FakeDaemon.start(api, bucket);
        snapshot = holder.save(Catalogue.create(api), 11);
        copy(holder, new StoreId(bucket.id()));
        holder.perform(holder.claim("TRANSFER").orElseThrow());
    }

    private void copy(FakeDaemon by, StoreId to) {
        moves.copy(new Moves.Copy(
                SnapshotId.of(snapshot), NodeId.of(by.id()), to, null, TransferPriority.NORMAL, "the test"));
    }

    /** A node of this tenant, which has been told to bring the snapshot into its own store. */
    private FakeDaemon fetching(String tenant) {
        FakeDaemon daemon = FakeDaemon.start(api, bucket);
        daemon.servesPeers("10.0.0.7:9465", CERTIFICATE, tenant);
        daemon.heartbeat();
        copy(daemon, Store.ownOf(NodeId.of(daemon.id()), Inventory.TierKind.NVME));
        return daemon;
    }

    private static Api.Reply peers(FakeDaemon daemon, JsonNode task) {
        return daemon.node()
                .session()
                .get("/node/v1/operations/" + task.path("operationId").asString() + "/peers");
    }

    private static JsonNode claims(String token) {
        String text = token.split("\\.", -1)[1];
        return Api.JSON.readTree(new String(Base64.getUrlDecoder().decode(text), StandardCharsets.UTF_8));
    }

    @Test
    void thoseWhoFetchTheSameSnapshotHearOfEachOther() {
        // given
        FakeDaemon first = fetching("default");
        FakeDaemon second = fetching("default");
        JsonNode task = first.claim("TRANSFER").orElseThrow();
        assertThat(peers(first, task).expect(200).json().path("peers")).isEmpty();
        JsonNode other = second.claim("TRANSFER").orElseThrow();

        // when
        JsonNode told = peers(first, task).expect(200).json();

        // then
        assertThat(told.path("peers")).hasSize(1);
        JsonNode peer = told.at("/peers/0");
        assertThat(peer.path("nodeId").asString()).isEqualTo(second.id());
        assertThat(peer.path("role").asString()).isEqualTo("FETCHER");
        assertThat(peer.path("address").asString()).isEqualTo("10.0.0.7:9465");
        assertThat(Instant.parse(peer.path("since").asString()))
                .isAfter(Instant.parse(told.path("since").asString()));
        assertThat(peers(second, other).expect(200).json().at("/peers/0/nodeId").asString())
                .isEqualTo(first.id());

        // and when one has ended
        second.perform(other);

        // then it has the snapshot
        assertThat(peers(first, task).expect(200).json().at("/peers/0/role").asString())
                .isEqualTo("HOLDER");
    }

    @Test
    void aTokenIsForOneNodeOneSnapshotAndAShortTime() {
        // given
        FakeDaemon first = fetching("default");
        FakeDaemon second = fetching("default");
        JsonNode task = first.claim("TRANSFER").orElseThrow();
        assertThat(second.claim("TRANSFER")).isPresent();

        // when
        JsonNode told = peers(first, task).expect(200).json();

        // then
        String token = told.at("/peers/0/token").asString();
        JsonNode claims = claims(token);
        assertThat(claims.path("audience").asString()).isEqualTo(second.id());
        assertThat(claims.path("subject").asString()).isEqualTo(first.id());
        assertThat(claims.path("certificate").asString()).isEqualTo(CERTIFICATE);
        assertThat(claims.path("snapshotId").asString()).isEqualTo(snapshot);
        assertThat(claims.path("manifestDigest").asString())
                .isEqualTo(task.at("/transfer/manifestDigest").asString());
        assertThat(claims.path("tenant").asString()).isEqualTo("default");
        assertThat(Duration.between(
                        Instant.parse(told.path("since").asString()),
                        Instant.parse(claims.path("expiresAt").asString())))
                .isBetween(Duration.ofSeconds(60), Duration.ofHours(1));
        // and only who has the audience's session can have made or can check it
        String secret = second.node().session().token().replaceAll("^.*\\.", "");
        PeerKey key = PeerKey.of(new NodeSessionToken(NodeId.of(second.id()), 1, secret));
        int dot = token.lastIndexOf('.');
        assertThat(token.substring(dot + 1)).isEqualTo(key.sign(token.substring(0, dot)));
    }

    @Test
    void anotherTenantsNodesAndThoseThatServeNobodyAreNotTold() {
        // given
        FakeDaemon first = fetching("default");
        FakeDaemon stranger = fetching("other");
        FakeDaemon silent = FakeDaemon.start(api, bucket);
        copy(silent, Store.ownOf(NodeId.of(silent.id()), Inventory.TierKind.NVME));
        JsonNode task = first.claim("TRANSFER").orElseThrow();
        assertThat(stranger.claim("TRANSFER")).isPresent();
        JsonNode silentTask = silent.claim("TRANSFER").orElseThrow();

        // then
        assertThat(peers(first, task).expect(200).json().path("peers")).isEmpty();
        assertThat(peers(silent, silentTask).expect(200).json().path("peers")).isEmpty();
    }

    @Test
    void whoHasTheSnapshotIsTold() {
        // given
        holder.servesPeers("10.0.0.1:9465", CERTIFICATE, "default");
        holder.heartbeat();
        FakeDaemon first = fetching("default");
        JsonNode task = first.claim("TRANSFER").orElseThrow();

        // then
        JsonNode told = peers(first, task).expect(200).json();
        assertThat(told.at("/peers/0/role").asString()).isEqualTo("HOLDER");
        assertThat(told.at("/peers/0/nodeId").asString()).isEqualTo(holder.id());
    }

    @Test
    void anotherNodesOperationIsNoneAndAnEndedOneIsOver() {
        // given
        FakeDaemon first = fetching("default");
        JsonNode task = first.claim("TRANSFER").orElseThrow();

        // then
        assertThat(peers(holder, task).status()).isEqualTo(404);
        assertThat(api.get("/node/v1/operations/" + UUID.randomUUID() + "/peers")
                        .status())
                .isEqualTo(403);
        first.perform(task);
        assertThat(peers(first, task).code()).isEqualTo("OPERATION_FINISHED");
    }

    @Test
    void aCopyIntoTheBucketIsNoFetch() {
        // given
        FakeDaemon first = fetching("default");
        JsonNode task = first.claim("TRANSFER").orElseThrow();
        first.perform(task);
        FakeSharedStore another = new FakeSharedStore();
        FakeDaemon both = FakeDaemon.start(api, another);
        both.servesPeers("10.0.0.9:9465", CERTIFICATE, "default");
        both.own().add(snapshot);
        both.heartbeat();
        copy(both, new StoreId(another.id()));
        JsonNode push = both.claim("TRANSFER").orElseThrow();

        // then
        assertThat(peers(both, push).expect(200).json().path("peers")).isEmpty();
    }
}
