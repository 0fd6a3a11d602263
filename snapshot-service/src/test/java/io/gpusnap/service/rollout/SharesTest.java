package io.gpusnap.service.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SharesTest {
    private static Shares after(int replicas, int weight, CanaryScale scale) {
        Shares shares = Shares.NONE;
        for (int i = 0; i < replicas; i++) {
            shares = shares.counted(shares.next(weight, scale));
        }
        return shares;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 10, 33, 50, 67, 99, 100})
    void afterAnyNumberOfReplicasTheShareIsExact(int weight) {
        Shares shares = Shares.NONE;
        for (int n = 1; n <= 1000; n++) {
            shares = shares.counted(shares.next(weight, null));
            assertThat(shares.canary()).as("after " + n).isEqualTo(Math.ceilDiv((long) n * weight, 100L));
        }
    }

    @Test
    void theFirstReplicaShowsWhetherTheNewVersionIsAnyGood() {
        assertThat(Shares.NONE.next(1, null)).isTrue();
        assertThat(Shares.NONE.next(0, null)).isFalse();
    }

    @Test
    void aScaleInReplicasIsReachedAndNotPassed() {
        assertThat(after(50, 90, new CanaryScale(3, null)).canary()).isEqualTo(3);
        assertThat(after(50, 0, new CanaryScale(3, null)).canary()).isEqualTo(3);
    }

    @Test
    void aScaleInWeightGoesBeforeTheWeight() {
        assertThat(after(200, 90, new CanaryScale(null, 25)).canary()).isEqualTo(50);
    }

    @Test
    void whoKeptTheNewVersionIsMadeUpForByTheOthers() {
        // given five replicas that keep it, counted first at 10 %
        Shares shares = Shares.NONE;
        for (int i = 0; i < 5; i++) {
            shares = shares.counted(true);
        }

        // when 95 others come
        for (int i = 0; i < 95; i++) {
            shares = shares.counted(shares.next(10, null));
        }

        // then the share is exact again
        assertThat(shares).isEqualTo(new Shares(100, 10));
    }
}
