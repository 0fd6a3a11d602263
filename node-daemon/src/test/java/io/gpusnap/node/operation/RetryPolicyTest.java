package io.gpusnap.node.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class RetryPolicyTest {

    @Test
    void theWaitDoublesUpToThirtySeconds() {
        RetryPolicy policy = new RetryPolicy(100, Duration.ofSeconds(1), 0);
        RandomGenerator random = RandomGenerator.getDefault();

        assertThat(policy.delayAfter(1, random)).isEqualTo(Duration.ofSeconds(1));
        assertThat(policy.delayAfter(4, random)).isEqualTo(Duration.ofSeconds(8));
        assertThat(policy.delayAfter(90, random)).isBetween(Duration.ofSeconds(29), Duration.ofSeconds(30));
    }

    @Test
    void jitterTakesUpToItsShareAway() {
        RetryPolicy policy = new RetryPolicy(5, Duration.ofSeconds(1), 0.5);
        for (int i = 0; i < 1_000; i++) {
            assertThat(policy.delayAfter(1, RandomGenerator.getDefault()))
                    .isBetween(Duration.ofMillis(500), Duration.ofSeconds(1));
        }
    }

    @Test
    void nonsenseIsRefused() {
        assertThatThrownBy(() -> new RetryPolicy(0, Duration.ZERO, 0)).hasMessageContaining("maxAttempts");
        assertThatThrownBy(() -> new RetryPolicy(1, Duration.ofSeconds(-1), 0)).hasMessageContaining("baseDelay");
        assertThatThrownBy(() -> new RetryPolicy(1, Duration.ZERO, 2)).hasMessageContaining("jitter");
    }
}
