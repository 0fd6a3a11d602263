package io.gpusnap.service.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

@ServiceTest
class PoolStatesTest {
    private static final int THAWS = 40;

    @Autowired
    private Api api;

    @Autowired
    private PoolRepository pools;

    @Autowired
    private PoolStates states;

    @Test
    void aThawThatEndsWhileThePoolIsReadIsSeenAsOnItsWayOrAsAProcess() {
        // given a pool in which nobody wants anything, so that no round starts or ends a replica
        Catalogue catalogue = Catalogue.create(api);
        SimulatedNode node = SimulatedNode.register(api);
        String snapshot = catalogue.ready(node);
        node.heartbeat().expect(200);
        String name = "pool-" + UUID.randomUUID();
        api.once()
                .post(
                        "/api/v1/pools",
                        Map.of("name", name, "nodeIds", List.of(node.id()), "models", List.of(member(catalogue))))
                .expect(201);
        Pool pool = pools.find(name).orElseThrow();

        AtomicBoolean over = new AtomicBoolean();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            // when it is read all the time while one thaw after the other ends
            CompletableFuture<Integer> mostMissed =
                    CompletableFuture.supplyAsync(() -> mostMissed(pool, over), threads);
            try {
                for (int pid = 1; pid <= THAWS; pid++) {
                    catalogue.restore(snapshot).expect(202);
                    node.thawed(node.claim(), pid, "w-" + pid).expect(204);
                }
            } finally {
                over.set(true);
            }

            // then no replica is missed on its way from an operation to a process
            assertThat(mostMissed.join()).isZero();
        }
        assertThat(states.read(pool).replicas()).hasSize(THAWS);
    }

    /** By how many replicas a reading fell short of one before it; none of them ends meanwhile. */
    private int mostMissed(Pool pool, AtomicBoolean over) {
        int most = 0;
        int missed = 0;
        while (!over.get()) {
            int now = states.read(pool).replicas().size();
            missed = Math.max(missed, most - now);
            most = Math.max(most, now);
        }
        return missed;
    }

    private static Map<String, Object> member(Catalogue catalogue) {
        return Map.of(
                "model",
                catalogue.model(),
                "version",
                catalogue.version(),
                "desiredReplicas",
                0,
                "keepAliveSeconds",
                86_400,
                "minResidencySeconds",
                86_400);
    }
}
