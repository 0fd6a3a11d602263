package io.gpusnap.service.kubernetes.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class WorkQueueTest {
    private static final Key ONE = Key.of(Key.Kind.MODEL, "one");
    private static final Key TWO = Key.of(Key.Kind.MODEL, "two");

    private final WorkQueue queue = new WorkQueue(Duration.ofMillis(300));

    @Test
    void aKeyWaitsOnceHoweverOftenItChanges() throws InterruptedException {
        queue.add(ONE);
        queue.add(TWO);
        queue.add(ONE);

        assertThat(queue.take()).contains(ONE);
        assertThat(queue.take()).contains(TWO);
        queue.done(ONE, Optional.empty());
        queue.done(TWO, Optional.empty());
        assertThat(queue.idle()).isTrue();
    }

    @Test
    void whatChangesWhileItIsLookedAtIsLookedAtAgainAndNotByTwoAtATime() throws InterruptedException {
        queue.add(ONE);
        queue.take();
        queue.add(ONE);
        queue.add(TWO);

        assertThat(queue.take()).as("the other one first").contains(TWO);
        queue.done(ONE, Optional.empty());
        assertThat(queue.take()).contains(ONE);
    }

    @Test
    void whatFailsComesBackAndWhatIsPutOffDoesToo() throws InterruptedException {
        queue.add(ONE);
        queue.failed(queue.take().orElseThrow());
        assertThat(queue.idle()).as("it waits for its time").isTrue();
        assertThat(queue.take()).contains(ONE);

        queue.done(ONE, Optional.of(Duration.ofMillis(10)));
        assertThat(queue.take()).contains(ONE);
    }

    @Test
    void aClosedQueueLetsItsWorkersGo() {
        Thread worker = Thread.ofVirtual().start(() -> {
            try {
                queue.take();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });

        queue.close();

        await().atMost(Duration.ofMinutes(1)).until(() -> !worker.isAlive());
    }
}
