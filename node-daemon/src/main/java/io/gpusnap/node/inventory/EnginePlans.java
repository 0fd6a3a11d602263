package io.gpusnap.node.inventory;

import io.gpusnap.node.client.Task;
import io.gpusnap.node.engine.AfterSave;
import io.gpusnap.node.engine.AnswerProbe;
import io.gpusnap.node.engine.ContainerRef;
import io.gpusnap.node.engine.EngineId;
import io.gpusnap.node.engine.Engines;
import io.gpusnap.node.engine.ExportRequest;
import io.gpusnap.node.engine.ImportRequest;
import io.gpusnap.node.engine.SaveRequest;
import io.gpusnap.node.engine.ScrubRequest;
import io.gpusnap.node.engine.SuspendDepth;
import io.gpusnap.node.engine.SweepRequest;
import io.gpusnap.node.engine.SwitchRequest;
import io.gpusnap.node.engine.ThawRequest;
import io.gpusnap.node.engine.TierRef;
import io.gpusnap.node.engine.TransferRequest;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.PlanFactory;
import io.gpusnap.node.operation.Stage;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.operation.StagePlan;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.transfer.Traffic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** From what the service asks for to what the engines plan. */
public final class EnginePlans implements PlanFactory {

    private final Engines engines;

    public EnginePlans(Engines engines) {
        this.engines = engines;
    }

    @Override
    public StagePlan plan(OperationSpec spec) throws StageException {
        try {
            return switch (spec.request()) {
                case Task.Save save -> save(spec.id(), save);
                case Task.Thaw thaw -> thaw(spec.id(), thaw);
                case Task.Switch to -> switchTo(spec.id(), to);
                case Task.Verify verify -> verify(verify);
                case Task.Delete delete -> engines.delete(new SnapshotId(delete.snapshotId()));
                case Task.Transfer transfer -> transfer(spec.id(), transfer);
                case Task.Evict evict -> engines.evict(new SnapshotId(evict.snapshotId()), tier(evict.tier()));
                case Task.Sweep sweep -> engines.sweep(sweep(sweep));
                case Task.Scrub scrub -> engines.scrub(scrub(scrub));
                case ExportRequest export -> engines.exporting(export);
                case ImportRequest bring -> engines.importing(bring);
                default ->
                    throw new StageException(
                            FailureCode.INTERNAL,
                            "nothing is planned for a "
                                    + spec.request().getClass().getSimpleName());
            };
        } catch (IllegalArgumentException e) {
            throw new StageException(FailureCode.INTERNAL, "the request cannot be used: " + e.getMessage(), e);
        }
    }

    private StagePlan save(OperationId operation, Task.Save save) throws StageException {
        return engines.byId(new EngineId(save.engine()))
                .save(new SaveRequest(
                        operation,
                        new SnapshotId(save.snapshotId()),
                        new ProcessId(save.workload().pid(), save.workload().startTimeTicks()),
                        AfterSave.valueOf(save.afterSave()),
                        save.suspendDepth() == null
                                ? SuspendDepth.CONTEXT_RELEASED
                                : SuspendDepth.valueOf(save.suspendDepth()),
                        save.quiesceTimeoutSeconds() == null
                                ? SaveRequest.QUIESCE_LIMIT
                                : Duration.ofSeconds(save.quiesceTimeoutSeconds()),
                        save.facts() == null ? Map.of() : save.facts()));
    }

    private StagePlan thaw(OperationId operation, Task.Thaw thaw) throws StageException {
        return engines.byId(new EngineId(thaw.engine()))
                .thaw(new ThawRequest(
                        operation,
                        new SnapshotId(thaw.snapshotId()),
                        Optional.ofNullable(thaw.manifestDigest()),
                        gpuRemap(thaw),
                        Optional.ofNullable(thaw.probe()).map(EnginePlans::probe),
                        container(thaw),
                        thaw.sources() == null
                                ? List.of()
                                : thaw.sources().stream()
                                        .map(Task.TierRef::name)
                                        .toList()));
    }

    static Map<Integer, String> gpuRemap(Task.Thaw thaw) {
        return thaw.gpuRemap() == null ? Map.of() : thaw.gpuRemap();
    }

    static Optional<ContainerRef> container(Task.Thaw thaw) {
        return Optional.ofNullable(thaw.container())
                .map(container -> new ContainerRef(container.podUid(), container.containerId()));
    }

    private static AnswerProbe probe(Task.Probe probe) {
        return new AnswerProbe(
                Optional.ofNullable(probe.port()),
                probe.path(),
                Optional.ofNullable(probe.body()),
                probe.contentType() == null ? "application/json" : probe.contentType(),
                probe.expectedStatus(),
                probe.expectedTokens(),
                Duration.ofSeconds(probe.timeoutSeconds()));
    }

    private StagePlan switchTo(OperationId operation, Task.Switch to) {
        return engines.switchTo(new SwitchRequest(
                operation,
                new SnapshotId(to.snapshotId()),
                Optional.ofNullable(to.manifestDigest()),
                Optional.ofNullable(to.gpuUuid()),
                SwitchRequest.Policy.valueOf(to.policy()),
                to.candidates().stream()
                        .map(candidate -> new SwitchRequest.Candidate(
                                new ProcessId(
                                        candidate.workload().pid(),
                                        candidate.workload().startTimeTicks()),
                                new SnapshotId(candidate.snapshotId()),
                                candidate.facts() == null ? Map.of() : candidate.facts()))
                        .toList()));
    }

    private StagePlan transfer(OperationId operation, Task.Transfer transfer) throws StageException {
        Task.TierRef from = transfer.from();
        return engines.transfer(new TransferRequest(
                operation,
                new SnapshotId(transfer.snapshotId()),
                Optional.ofNullable(transfer.manifestDigest()),
                tier(transfer.tier()),
                from == null ? Optional.empty() : Optional.of(tier(from)),
                transfer.maxBytesPerSecond() == null ? 0 : transfer.maxBytesPerSecond(),
                priority(transfer.priority())));
    }

    private static SweepRequest sweep(Task.Sweep sweep) {
        return new SweepRequest(
                tier(sweep.tier()),
                sweep.serviceId(),
                sweep.delete(),
                sweep.listAfter() == null ? "" : sweep.listAfter(),
                sweep.listLimit(),
                Duration.ofSeconds(sweep.abortUploadsAfterSeconds()));
    }

    private static ScrubRequest scrub(Task.Scrub scrub) {
        return new ScrubRequest(
                tier(scrub.tier()),
                scrub.snapshots().stream()
                        .map(subject -> new ScrubRequest.Subject(
                                new SnapshotId(subject.snapshotId()), subject.manifestDigest()))
                        .toList(),
                scrub.maxBytesPerSecond(),
                priority(scrub.priority()));
    }

    /** A priority that only a newer service knows is nothing that somebody waits for here. */
    private static Traffic.Priority priority(String told) {
        return switch (told) {
            case Task.URGENT -> Traffic.Priority.URGENT;
            case Task.NORMAL -> Traffic.Priority.NORMAL;
            default -> Traffic.Priority.BACKGROUND;
        };
    }

    private static TierRef tier(Task.TierRef tier) {
        return new TierRef(tier.name(), Optional.ofNullable(tier.storeId()));
    }

    private StagePlan verify(Task.Verify verify) {
        StagePlan plan = engines.verify(new SnapshotId(verify.snapshotId()));
        if (verify.manifestDigest() == null) {
            return plan;
        }
        List<Stage> stages = new ArrayList<>(plan.stages());
        stages.add(new ManifestComparison(verify.manifestDigest()));
        return new StagePlan(plan.kind(), stages, plan.release());
    }
}
