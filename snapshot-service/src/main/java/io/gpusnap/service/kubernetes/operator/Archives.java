package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.KubernetesSettings;
import io.gpusnap.service.kubernetes.cluster.Cluster;
import io.gpusnap.service.kubernetes.csi.VolumeSnapshot;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Archives of the shared tier's claim: one VolumeSnapshot for each span of time, named by when the span began. So whoever looks
 * knows whether it is there, and of two who make it one is told that the name is taken.
 */
@KubernetesComponent
class Archives {
    static final String ARCHIVE_OF = "gpusnap.io/archive-of";

    private static final DateTimeFormatter NAMED =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT).withZone(ZoneOffset.UTC);

    private final KubernetesClient client;
    private final Cluster cluster;
    private final KubernetesSettings settings;
    private final DatabaseClock clock;

    Archives(KubernetesClient client, Cluster cluster, KubernetesSettings settings, DatabaseClock clock) {
        this.client = client;
        this.cluster = cluster;
        this.settings = settings;
        this.clock = clock;
    }

    /**
     * How the archive stands.
     *
     * @param reason in one CamelCase word
     */
    record Verdict(boolean good, String reason, String message) {}

    /** Takes the archive of this span if it is not there, deletes those that are not kept, and says how it stands. */
    Verdict look(String claim) {
        KubernetesSettings.Archive how = settings.archive();
        List<VolumeSnapshot> all;
        try {
            all = new ArrayList<>(client.resources(VolumeSnapshot.class)
                    .inNamespace(settings.namespace())
                    .withLabel(ARCHIVE_OF, claim)
                    .list()
                    .getItems());
        } catch (KubernetesClientException e) {
            if (e.getCode() != HttpURLConnection.HTTP_NOT_FOUND) {
                throw e;
            }
            return new Verdict(
                    false,
                    "VolumeSnapshotsMissing",
                    "The cluster has no VolumeSnapshots (snapshot.storage.k8s.io/v1): claim " + claim
                            + " is not archived until external-snapshotter is installed.");
        }
        Instant span = began(clock.now(), how.every());
        String name = name(claim, span);
        if (all.stream().noneMatch(one -> name.equals(one.getMetadata().getName()))) {
            cluster.create(archive(claim, name)).ifPresent(all::add);
        }
        all.sort(Comparator.comparing((VolumeSnapshot one) -> one.getMetadata().getName())
                .reversed());
        deleteOld(all, how.keep());
        return verdict(claim, all, name(claim, span.minus(how.every())));
    }

    /** Until the next span begins. */
    Duration untilNext() {
        Instant now = clock.now();
        return Duration.between(now, began(now, settings.archive().every()))
                .plus(settings.archive().every());
    }

    private static Instant began(Instant now, Duration every) {
        return Instant.ofEpochSecond(now.getEpochSecond() - now.getEpochSecond() % every.toSeconds());
    }

    private static String name(String claim, Instant span) {
        return claim + "-" + NAMED.format(span);
    }

    private VolumeSnapshot archive(String claim, String name) {
        VolumeSnapshot archive = new VolumeSnapshot();
        archive.setMetadata(new ObjectMetaBuilder()
                .withNamespace(settings.namespace())
                .withName(name)
                .addToLabels("app.kubernetes.io/managed-by", "gpusnap")
                .addToLabels(ARCHIVE_OF, claim)
                .build());
        archive.setSpec(new VolumeSnapshot.Spec(
                new VolumeSnapshot.Source(claim), settings.archive().volumeSnapshotClass()));
        return archive;
    }

    /** What is older than the last one to keep, of those that are ready: what is not ready keeps nothing. */
    private void deleteOld(List<VolumeSnapshot> newestFirst, int keep) {
        Optional<String> last = newestFirst.stream()
                .filter(VolumeSnapshot::isReady)
                .skip(keep - 1L)
                .findFirst()
                .map(one -> one.getMetadata().getName());
        last.ifPresent(oldest -> newestFirst.stream()
                .filter(one -> one.getMetadata().getName().compareTo(oldest) < 0)
                .forEach(cluster::delete));
    }

    /** @param before name of the archive of the last span */
    private Verdict verdict(String claim, List<VolumeSnapshot> newestFirst, String before) {
        VolumeSnapshot newest = newestFirst.isEmpty() ? null : newestFirst.getFirst();
        if (newest != null && newest.hasFailed()) {
            return new Verdict(
                    false,
                    "ArchiveFailed",
                    "VolumeSnapshot " + newest.getMetadata().getName() + " has failed; its status says why.");
        }
        boolean good = newestFirst.stream()
                .anyMatch(one -> one.isReady() && one.getMetadata().getName().compareTo(before) >= 0);
        return good
                ? new Verdict(
                        true,
                        "Archived",
                        "Claim " + claim + " is archived every "
                                + settings.archive().every() + ", in VolumeSnapshots with the label " + ARCHIVE_OF
                                + ".")
                : new Verdict(false, "ArchivePending", "No archive of claim " + claim + " is ready yet.");
    }
}
