package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import io.gpusnap.node.tier.pack.FrameSettings;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.tier.pack.WatchedStore;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TierWatchTest {

    @TempDir
    Path folder;

    private final CountDownLatch asked = new CountDownLatch(1);
    private final CountDownLatch answer = new CountDownLatch(1);
    private PackTier tier;

    /** A share whose first answer is held back. */
    @BeforeEach
    void open() throws Exception {
        WatchedStore share = new WatchedStore(new NfsStore(NfsSettings.of(folder, Duration.ofSeconds(20))));
        tier = new PackTier(PackSettings.of("nfs"), share, FrameSettings.none());
        share.after("find", () -> {
            asked.countDown();
            answer.await();
        });
    }

    @AfterEach
    void close() throws Exception {
        answer.countDown();
        tier.close();
    }

    @Test
    void whoeverAsksWhileTheFirstLookIsOnTheWayGetsWhatItFinds() throws Exception {
        try (TierWatch watch = new TierWatch(List.of(tier), Duration.ofMinutes(1))) {
            asked.await();
            AtomicReference<TierState> told = new AtomicReference<>();
            Thread asking = Thread.ofPlatform().start(() -> told.set(watch.last(tier)));
            Awaitility.await()
                    .until(
                            asking::getState,
                            state -> state == Thread.State.TIMED_WAITING || state == Thread.State.TERMINATED);
            assertThat(told.get()).as("told before anything was found").isNull();
            answer.countDown();
            asking.join();
            assertThat(told.get().trouble()).isEmpty();
            assertThat(told.get().storeId()).isPresent();
        }
    }

    @Test
    void aShareThatHangsIsNotWaitedForAnyLonger() throws Exception {
        try (TierWatch watch = new TierWatch(List.of(tier), Duration.ZERO)) {
            asked.await();
            assertThat(watch.last(tier).trouble()).contains("it has not answered yet");
            answer.countDown();
        }
    }
}
