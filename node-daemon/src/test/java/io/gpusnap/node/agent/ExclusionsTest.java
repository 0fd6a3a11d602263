package io.gpusnap.node.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class ExclusionsTest {

    private final Exclusions exclusions = new Exclusions();
    private final List<String> order = Collections.synchronizedList(new ArrayList<>());

    /** Takes its key, notes that, and gives it back; returns once it waits or has ended. */
    private Thread worker(String name, boolean first, String... keys) {
        Thread thread = Thread.ofVirtual().start(() -> {
            try {
                Optional<Set<String>> taken = exclusions.take(() -> Set.of(keys), first, () -> false);
                if (taken.isPresent()) {
                    order.add(name);
                    exclusions.release(taken.get());
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        await().until(() -> thread.getState() == Thread.State.TIMED_WAITING || !thread.isAlive());
        return thread;
    }

    @Test
    void waitersGetTheirTurnInOrderAndOneThatGoesFirstBeforeThem() throws Exception {
        // given
        exclusions.take(() -> Set.of("device"), false, () -> false);
        List<Thread> workers = List.of(
                worker("one", false, "device"),
                worker("two", false, "device", "snapshot"),
                worker("three", false, "snapshot"),
                worker("other", false, "else"),
                worker("first", true, "device"));
        // when
        exclusions.release(Set.of("device"));
        for (Thread worker : workers) {
            worker.join();
        }
        // then who needs nothing of it never waited
        assertThat(order).containsExactly("other", "first", "one", "two", "three");
    }

    @Test
    void oneThatGivesUpIsInNobodysWay() throws Exception {
        exclusions.take(() -> Set.of("device"), false, () -> false);
        AtomicBoolean givenUp = new AtomicBoolean();
        Thread gone = Thread.ofVirtual().start(() -> {
            try {
                assertThat(exclusions.take(() -> Set.of("device", "snapshot"), false, givenUp::get))
                        .isEmpty();
                order.add("gave up");
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        await().until(() -> gone.getState() == Thread.State.TIMED_WAITING);
        Thread behind = worker("behind", false, "snapshot");
        givenUp.set(true);
        gone.join();
        behind.join();
        assertThat(order).containsExactlyInAnyOrder("gave up", "behind");
    }

    @Test
    void nobodyOvertakesOneThatDoesNotKnowYetWhatItNeeds() throws Exception {
        CountDownLatch known = new CountDownLatch(1);
        Thread slow = Thread.ofVirtual().start(() -> {
            try {
                Optional<Set<String>> taken = exclusions.take(
                        () -> {
                            awaitQuietly(known);
                            return Set.of("device");
                        },
                        false,
                        () -> false);
                order.add("slow");
                exclusions.release(taken.orElseThrow());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        await().until(() -> slow.getState() == Thread.State.WAITING);
        Thread quick = worker("quick", false, "device");
        known.countDown();
        slow.join();
        quick.join();
        assertThat(order).containsExactly("slow", "quick");
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
