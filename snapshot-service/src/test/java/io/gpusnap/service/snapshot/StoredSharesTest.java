package io.gpusnap.service.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.FakeDaemon;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.tier.Store;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Of what the last copies take there follows what the next one will, within what can be believed. */
@ServiceTest
class StoredSharesTest {
    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private Copies copies;

    private FakeDaemon daemon;

    @BeforeEach
    void givenADisk() {
        daemon = FakeDaemon.start(api, null);
    }

    private void saved(long copyBytes, int pid) {
        daemon.compressesTo(copyBytes);
        String snapshot = daemon.save(Catalogue.create(api), pid);
        jdbc.sql("UPDATE snapshot SET distinct_bytes = ? WHERE id = ?::uuid")
                .params(FakeDaemon.SNAPSHOT_BYTES, snapshot)
                .update();
    }

    private StoreId disk() {
        return Store.ownOf(NodeId.of(daemon.id()), Inventory.TierKind.NVME);
    }

    @Test
    void whatTakesNothingTellsNothing() {
        saved(0, 41);
        assertThat(copies.storedShares()).doesNotContainKey(disk());

        saved(FakeDaemon.SNAPSHOT_BYTES / 2, 42);
        assertThat(copies.storedShares()).containsEntry(disk(), 0.5);
    }

    @Test
    void nothingIsExpectedToTakeNextToNothing() {
        saved(1, 41);

        assertThat(copies.storedShares().get(disk())).isCloseTo(0.1, within(1e-9));
    }
}
