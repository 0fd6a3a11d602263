package io.gpusnap.service.snapshot;

import io.gpusnap.service.operation.Completion;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.version.ModelVersions;
import io.gpusnap.service.workload.Workloads;
import java.time.Instant;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/** From what a daemon saved to a READY snapshot, or one that FAILED because its manifest is not acceptable. */
@Component
class SnapshotCommits {
    private static final Logger LOG = LoggerFactory.getLogger(SnapshotCommits.class);

    private final SnapshotStore store;
    private final ChunkAccounts chunks;
    private final Copies copies;
    private final CompatibilityClasses classes;
    private final ModelVersions versions;
    private final Workloads workloads;
    private final SpentSuspensions spent;

    SnapshotCommits(
            SnapshotStore store,
            ChunkAccounts chunks,
            Copies copies,
            CompatibilityClasses classes,
            ModelVersions versions,
            Workloads workloads,
            SpentSuspensions spent) {
        this.store = store;
        this.chunks = chunks;
        this.copies = copies;
        this.classes = classes;
        this.versions = versions;
        this.workloads = workloads;
        this.spent = spent;
    }

    /**
     * Changes snapshot and workload; the caller saves the snapshot.
     *
     * @return why it FAILED, empty when it is READY
     */
    Optional<Failure> commit(
            Snapshot snapshot, NodeId node, Optional<WorkloadId> workload, Completion.SaveResult result, Instant now) {
        try {
            ManifestCheck.Checked checked = ManifestCheck.check(snapshot.id(), snapshot.engine(), result);
            store.putManifest(snapshot.id(), checked.bytes());
            snapshot.commit(result, chunks.add(snapshot.id(), checked.manifest()), now);
            classify(snapshot, checked.manifest());
            snapshot.versionId().ifPresent(versions::freeze);
            copies.saved(snapshot.id(), node, result.copyBytes());
            return Optional.empty();
        } catch (ManifestCheck.Refused e) {
            Failure failure = Failure.of(
                    ErrorCode.MANIFEST_INVALID, "The manifest is refused: " + e.getMessage() + ".", "commit", false);
            LOG.warn("snapshot {}: {}", snapshot.id(), failure.detail());
            snapshot.fail(failure, now);
            return Optional.of(failure);
        } finally {
            workload.ifPresent(process -> {
                if (!result.workloadAlive()) {
                    workloads.markGone(process);
                } else if (snapshot.engine() == Engine.SUSPEND) {
                    workloads.markSuspended(process, snapshot.id());
                    if (snapshot.state() == SnapshotState.READY) {
                        spent.delete(process, snapshot, now);
                    }
                }
            });
        }
    }

    private void classify(Snapshot snapshot, Manifest manifest) {
        manifest.compatibility().ifPresent(facts -> {
            CompatibilityClass of = CompatibilityClass.of(facts, snapshot.engine() == Engine.CRIU_CUDA);
            classes.keep(of);
            snapshot.requires(of, Needs.of(manifest, facts));
        });
    }
}
