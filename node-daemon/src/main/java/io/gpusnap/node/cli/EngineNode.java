package io.gpusnap.node.cli;

import io.gpusnap.node.client.Completion;
import io.gpusnap.node.client.Inventory;
import io.gpusnap.node.client.Session;
import io.gpusnap.node.client.Task;
import io.gpusnap.node.client.Workload;
import io.gpusnap.node.engine.Engines;
import io.gpusnap.node.engine.InspectReport;
import io.gpusnap.node.engine.KeyChains;
import io.gpusnap.node.engine.SaveOutcome;
import io.gpusnap.node.engine.ThawOutcome;
import io.gpusnap.node.engine.WorkloadLost;
import io.gpusnap.node.inventory.EnginePlans;
import io.gpusnap.node.inventory.EngineResources;
import io.gpusnap.node.inventory.EngineResults;
import io.gpusnap.node.inventory.NodeInventory;
import io.gpusnap.node.inventory.WorkloadReports;
import io.gpusnap.node.metrics.ChunkMeters;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.OperationLog;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.operation.StagePlan;
import io.gpusnap.node.peer.PeerCounts;
import io.gpusnap.node.peer.PeerDirectory;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.Workloads;
import io.gpusnap.node.snapshot.OrphanSweep;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.Quarantine;
import java.time.Instant;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The node with its real engines. */
final class EngineNode implements NodeAccess {

    private static final Logger LOG = LoggerFactory.getLogger(EngineNode.class);

    private final Engines engines;
    private final EnginePlans plans;
    private final EngineResources resources;
    private final NodeInventory inventory;
    private final WorkloadReports workloads = new WorkloadReports();
    private final ProcFs proc = new ProcFs();

    EngineNode(Engines engines) {
        this.engines = engines;
        this.plans = new EnginePlans(engines);
        this.resources = new EngineResources(engines);
        this.inventory = new NodeInventory(engines);
    }

    @Override
    public StagePlan plan(OperationSpec spec) throws StageException {
        return plans.plan(spec);
    }

    @Override
    public Set<String> resources(OperationSpec spec) {
        return resources.of(spec);
    }

    @Override
    public Set<String> allResources() {
        return resources.all();
    }

    @Override
    public Inventory inventory() {
        return inventory.read();
    }

    @Override
    public List<Inventory.Tier> tiers() {
        return inventory.tiers(true);
    }

    @Override
    public Map<String, Long> quarantinedChunks() {
        return engines.quarantinedChunks();
    }

    @Override
    public Map<String, Long> readBytes() {
        return engines.readBytes();
    }

    @Override
    public PeerReading peerReading() {
        PeerCounts counts = engines.fanOut().counts();
        return new PeerReading(counts.failures(), counts.servedBytes(), counts.refusedTokens());
    }

    @Override
    public void know(PeerDirectory directory) {
        engines.fanOut().know(directory);
    }

    @Override
    public void registered(Session session) {
        if (session.peerKey() != null) {
            engines.fanOut()
                    .gate()
                    .registered(
                            UUID.fromString(session.nodeId()),
                            Base64.getUrlDecoder().decode(session.peerKey()));
        }
    }

    @Override
    public void recovered() {
        engines.sweepOrphans();
        engines.endLeftBehind();
    }

    @Override
    public ChunkMeters.Orphans orphans() {
        OrphanSweep.Counts counts = engines.orphans();
        return new ChunkMeters.Orphans(
                counts.markedChunks(), counts.freedBytes(), counts.looks(), counts.failedLooks());
    }

    @Override
    public ChunkMeters.Quarantine quarantine() {
        Quarantine.Counts counts = engines.inQuarantine();
        return new ChunkMeters.Quarantine(counts.keptBytes(), counts.freedBytes(), counts.failedLooks());
    }

    @Override
    public void serviceTime(Instant now) {
        engines.fanOut().gate().serviceTime(now);
    }

    @Override
    public List<TierCheck> validateTiers(@Nullable String name) {
        return engines.validateTiers().entrySet().stream()
                .filter(tier -> name == null || name.equals(tier.getKey()))
                .flatMap(tier -> tier.getValue().get().stream()
                        .map(check -> new TierCheck(
                                tier.getKey(),
                                check.name(),
                                check.passed(),
                                check.detail(),
                                check.mend(),
                                check.figures())))
                .toList();
    }

    @Override
    public KeyChains keys() throws StageException {
        return engines.keys();
    }

    @Override
    public List<Workload> workloads() {
        return engines.workloads().stream().map(workloads::of).toList();
    }

    @Override
    public void end(int pid, long startTimeTicks) {
        try {
            engines.end(new ProcessId(pid, startTimeTicks));
        } catch (StageException e) {
            LOG.atError()
                    .addKeyValue("pid", pid)
                    .addKeyValue("reason", e.detail())
                    .log("it cannot be ended");
        }
    }

    @Override
    public void startCold(List<String> podUids) {
        try {
            for (ProcessId told : engines.startCold(podUids)) {
                LOG.atInfo()
                        .addKeyValue("pid", told.pid())
                        .log("a container waited for a thaw that does not come: its own command starts");
            }
        } catch (StageException e) {
            // its next heartbeat tries again
            LOG.atWarn().addKeyValue("reason", e.detail()).log("a container that waits cannot be told to start");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public Result result(OperationLog log) {
        return new Result(
                log.recall(SaveOutcome.class).map(EngineResults::of).orElse(null),
                log.recall(ThawOutcome.class).map(EngineResults::of).orElse(null),
                log.spec().kind() == OperationKind.SWITCH
                                && log.recall(ThawOutcome.class).isPresent()
                        ? EngineResults.of(kept(log))
                        : null,
                log.recall(WorkloadLost.class).isPresent(),
                log.outcome()
                                .filter(OperationOutcome.Succeeded.class::isInstance)
                                .isPresent()
                        ? EngineResults.ofTier(log)
                        : null,
                EngineResults.damaged(log));
    }

    /** A switch that failed has undone the saves that it could not end: of those only the outcome is remembered. */
    private List<SaveOutcome> kept(OperationLog log) {
        List<SaveOutcome> saved = log.recallAll(SaveOutcome.class);
        if (log.outcome().filter(OperationOutcome.Succeeded.class::isInstance).isPresent() || saved.isEmpty()) {
            return saved;
        }
        try {
            Collection<SnapshotId> exist = engines.snapshots();
            return saved.stream()
                    .filter(outcome -> exist.contains(outcome.snapshot()))
                    .toList();
        } catch (StageException e) {
            LOG.atWarn()
                    .addKeyValue("operation", log.spec().id())
                    .addKeyValue("reason", e.detail())
                    .log("cannot tell which snapshots of a failed switch exist");
            return List.of();
        }
    }

    @Override
    public Optional<Task.Process> process(int pid) {
        return proc.stat(pid)
                .map(stat -> new Task.Process(
                        pid,
                        stat.startTimeTicks(),
                        new Workloads(proc).nameOf(pid).orElse("pid-" + pid)));
    }

    @Override
    public Inspection inspect(UUID snapshot) throws CommandException {
        try {
            InspectReport report = engines.inspect(new SnapshotId(snapshot));
            Manifest manifest = report.manifest();
            Manifest.Totals totals = manifest.totals();
            return new Inspection(
                    snapshot,
                    manifest.engine(),
                    manifest.createdAt().toString(),
                    new Completion.Totals(
                            totals.vramBytes(),
                            totals.hostBytes(),
                            totals.logicalBytes(),
                            totals.storedBytes(),
                            totals.chunksTotal(),
                            totals.chunksStored(),
                            totals.chunksZero()),
                    report.manifestDigest(),
                    report.text(),
                    report.json(),
                    report.missingChunks() == 0);
        } catch (StageException e) {
            throw new CommandException(
                    ExitCode.FAILED, e.code().name(), e.detail(), "gpusnap-node list shows the snapshots of this node");
        }
    }

    @Override
    public void forgetAllBut(Collection<OperationId> remembered) throws CommandException {
        try {
            engines.forgetAllBut(remembered);
        } catch (StageException e) {
            throw CommandException.of(e);
        }
    }

    @Override
    public void close() {
        engines.close();
    }
}
