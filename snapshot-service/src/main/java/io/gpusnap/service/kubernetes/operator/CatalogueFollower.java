package io.gpusnap.service.kubernetes.operator;

import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.KubernetesSettings;
import io.gpusnap.service.kubernetes.start.Starts;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.snapshot.Snapshot;
import io.gpusnap.service.snapshot.SnapshotState;
import io.gpusnap.service.snapshot.Snapshots;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Hears of what changes in the catalogue, whichever instance changed it, and has the resources that stand for it looked at.
 * It reads the database and nothing else. At its beginning it hears of everything: equal things cause no writes.
 */
@KubernetesComponent
class CatalogueFollower {
    /** A change of this age may still be committed; transactions are far shorter. */
    private static final Duration LOOK_BACK = Duration.ofSeconds(30);

    private static final int PAGE = 500;

    private final KubernetesSettings settings;
    private final Snapshots snapshots;
    private final CatalogueModels models;
    private final Starts starts;
    private final Saves saves;
    private final Watched watched;
    private final DatabaseClock clock;

    private Instant since = Instant.EPOCH;
    private Map<UUID, Instant> heard = new HashMap<>();
    private Map<String, String> shown = Map.of();
    private long scannedAt;
    private boolean scanned;
    private volatile boolean caughtUp;

    CatalogueFollower(
            KubernetesSettings settings,
            Snapshots snapshots,
            CatalogueModels models,
            Starts starts,
            Saves saves,
            Watched watched,
            DatabaseClock clock) {
        this.settings = settings;
        this.snapshots = snapshots;
        this.models = models;
        this.starts = starts;
        this.saves = saves;
        this.watched = watched;
        this.clock = clock;
    }

    void begin() {
        since = Instant.EPOCH;
        heard = new HashMap<>();
        shown = Map.of();
        scanned = false;
        caughtUp = false;
    }

    /** Whether all that there was at the beginning has been heard of. */
    boolean caughtUp() {
        return caughtUp;
    }

    void follow(Consumer<Key> changed) {
        starts.open().forEach(pod -> changed.accept(new Key(Key.Kind.POD, pod.namespace(), pod.name())));
        snapshots(changed);
        if (!scanned) {
            startsOfPodsThatWent(changed);
            changed.accept(Key.of(Key.Kind.ARCHIVE, ""));
        }
        if (!scanned || System.nanoTime() - scannedAt > settings.scanInterval().toNanos()) {
            models(changed);
            changed.accept(Key.of(Key.Kind.PLACEMENT, ""));
            scanned = true;
            scannedAt = System.nanoTime();
        }
        caughtUp = true;
    }

    /** While nobody led, nobody heard of them. */
    private void startsOfPodsThatWent(Consumer<Key> changed) {
        starts.all().stream()
                .filter(start -> watched.pod(start.namespace(), start.name()).isEmpty())
                .forEach(start -> changed.accept(new Key(Key.Kind.POD, start.namespace(), start.name())));
    }

    private void snapshots(Consumer<Key> changed) {
        Instant now = clock.now();
        boolean everything = since.equals(Instant.EPOCH);
        Instant from = since;
        List<Snapshot> page;
        do {
            page = snapshots.changedSince(from, PAGE);
            for (Snapshot snapshot : page) {
                if (!snapshot.updatedAt().equals(heard.put(snapshot.id().value(), snapshot.updatedAt()))
                        && !(everything && snapshot.state() == SnapshotState.DELETED && notWatched(snapshot))) {
                    changed.accept(Key.of(Key.Kind.CONTENT, Contents.name(snapshot.id())));
                    saves.of(snapshot.id())
                            .ifPresent(save ->
                                    changed.accept(new Key(Key.Kind.POD_SNAPSHOT, save.namespace(), save.name())));
                }
            }
            Instant last = page.isEmpty() ? from : page.getLast().updatedAt();
            // a page full of one instant: nothing changes so many in one microsecond but a batch, which is over by then
            from = last.equals(from) ? last.plusNanos(1000) : last;
        } while (page.size() == PAGE);
        since = now.minus(LOOK_BACK);
        heard = heard.entrySet().stream()
                .filter(one -> one.getValue().isAfter(since.minus(LOOK_BACK)))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private boolean notWatched(Snapshot snapshot) {
        return watched.content(Contents.name(snapshot.id())).isEmpty();
    }

    /** New ones, those of which what is shown has changed, and those that are gone: of a Model itself the watch tells. */
    private void models(Consumer<Key> changed) {
        Map<String, String> now = models.all();
        Stream.concat(now.keySet().stream(), shown.keySet().stream())
                .distinct()
                .filter(name -> !Objects.equals(now.get(name), shown.get(name)))
                .forEach(name -> changed.accept(Key.of(Key.Kind.MODEL, name)));
        shown = now;
    }
}
