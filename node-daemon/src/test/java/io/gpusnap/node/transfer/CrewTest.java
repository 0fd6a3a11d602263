package io.gpusnap.node.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class CrewTest {

    private static final List<Integer> ITEMS = IntStream.range(0, 500).boxed().toList();

    @Test
    void everyItemIsDoneOnce() throws Exception {
        Set<Integer> done = ConcurrentHashMap.newKeySet();
        AtomicInteger count = new AtomicInteger();
        Crew.each("test", 4, IOException.class, ITEMS, () -> item -> {
            done.add(item);
            count.incrementAndGet();
        });
        assertThat(done).hasSize(500);
        assertThat(count).hasValue(500);
    }

    @Test
    void theFirstFailureIsThrownAndStopsTheRest() {
        AtomicInteger count = new AtomicInteger();
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Crew.each("test", 2, IOException.class, ITEMS, () -> item -> {
                    if (count.incrementAndGet() == 5) {
                        throw new IOException("item " + item);
                    }
                    Thread.sleep(
                            2); // all of them would take the other thread a second: time for the failure to be heard of
                }))
                .withMessageStartingWith("item");
        assertThat(count.get()).isLessThan(500);
    }

    @Test
    void anUncheckedFailurePassesAsItIs() {
        assertThatExceptionOfType(IllegalStateException.class)
                .isThrownBy(() -> Crew.each("test", 2, IOException.class, ITEMS, () -> item -> {
                    throw new IllegalStateException("cancelled");
                }))
                .withMessage("cancelled");
    }

    @Test
    void closingInterruptsWorkersAndWaitsForThem() throws Exception {
        // given a worker that is busy
        CountDownLatch busy = new CountDownLatch(1);
        AtomicInteger ended = new AtomicInteger();
        Crew<Integer, IOException> crew = new Crew<>("test", 1, IOException.class, () -> item -> {
            busy.countDown();
            try {
                Thread.sleep(60_000);
            } finally {
                ended.incrementAndGet();
            }
        });
        crew.submit(1);
        busy.await();
        // when
        crew.close();
        // then
        assertThat(ended).hasValue(1);
    }

    @Test
    void aFailureIsSeenByWhoeverFeedsTheCrew() throws Exception {
        try (Crew<Integer, IOException> crew = new Crew<>("test", 1, IOException.class, () -> item -> {
            throw new IOException("disk");
        })) {
            crew.submit(1);
            assertThatExceptionOfType(IOException.class).isThrownBy(() -> {
                while (true) {
                    crew.check();
                    Thread.sleep(1);
                }
            });
        }
    }
}
