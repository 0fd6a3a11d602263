package io.gpusnap.node.cli;

import io.gpusnap.node.client.Completion;
import io.gpusnap.node.client.Inventory;
import io.gpusnap.node.client.Task;
import io.gpusnap.node.client.Workload;
import io.gpusnap.node.config.NodeSettings;
import io.gpusnap.node.engine.KeyChains;
import io.gpusnap.node.metrics.ChunkMeters;
import io.gpusnap.node.operation.FactRegistry;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.OperationLog;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.Stage;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.operation.StagePlan;
import io.gpusnap.node.peer.PeerDirectory;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** A node with one workload and one snapshot; its stages do nothing, or fail when told to. */
final class ToyNode implements NodeOpener, NodeAccess {

    static final UUID SNAPSHOT = UUID.fromString("7b0c3f5e-0000-4000-8000-000000000001");
    private static final Completion.Totals TOTALS =
            new Completion.Totals(4L << 30, 512L << 20, (4L << 30) + (512L << 20), 3L << 30, 1200, 900, 100);

    final List<OperationSpec> ran = new ArrayList<>();
    final List<String> stagesRun = new ArrayList<>();
    final List<Inventory.Capability> capabilities = new ArrayList<>(List.of(
            new Inventory.Capability("suspend", true, null),
            new Inventory.Capability("criu+cuda", false, "no CRIU 4.1 or newer; apt-get install criu")));
    StageException failure;
    boolean opened;
    boolean closed;
    boolean whole = true;
    List<OperationId> forgottenAllBut = List.of();

    @Override
    public FactRegistry facts() {
        return FactRegistry.of();
    }

    @Override
    public NodeAccess open(NodeSettings settings) {
        opened = true;
        return this;
    }

    @Override
    public NodeAccess look(NodeSettings settings) {
        return this;
    }

    private final class ToyStage implements Stage {
        private final OperationKind kind;
        private final String name;

        ToyStage(OperationKind kind, String name) {
            this.kind = kind;
            this.name = name;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public void run(StageContext context) throws StageException {
            stagesRun.add(kind + " " + name);
            if (name.equals("store") && failure != null) {
                throw failure;
            }
        }
    }

    @Override
    public StagePlan plan(OperationSpec spec) {
        ran.add(spec);
        return new StagePlan(
                spec.kind(), List.of(new ToyStage(spec.kind(), "preflight"), new ToyStage(spec.kind(), "store")));
    }

    @Override
    public Inventory inventory() {
        return new Inventory(
                "Linux",
                "6.18",
                "x86_64",
                "cpu",
                2,
                1L << 34,
                List.of(),
                13000,
                "simulated-1",
                null,
                List.of(),
                capabilities,
                List.of(SNAPSHOT),
                null,
                null,
                null,
                null);
    }

    @Override
    public KeyChains keys() {
        throw new UnsupportedOperationException("a toy has no keys");
    }

    @Override
    public Map<String, Long> readBytes() {
        return Map.of("s3", 4096L);
    }

    @Override
    public PeerReading peerReading() {
        return new PeerReading(Map.of("timeout", 1L), 8192, 2);
    }

    @Override
    public ChunkMeters.Orphans orphans() {
        return new ChunkMeters.Orphans(3, 12288, 2, 1);
    }

    @Override
    public ChunkMeters.Quarantine quarantine() {
        return new ChunkMeters.Quarantine(8192, 4096, 0);
    }

    @Override
    public void know(PeerDirectory directory) {
        // a toy asks nobody
    }

    @Override
    public void startCold(List<String> podUids) {
        throw new IllegalStateException("no command tells containers anything");
    }

    @Override
    public void end(int pid, long startTimeTicks) {
        throw new IllegalStateException("no command ends a workload");
    }

    @Override
    public List<Workload> workloads() {
        return List.of(new Workload(
                4711,
                99,
                "llm",
                "/usr/bin/server",
                List.of("server"),
                "RUNNING",
                4L << 30,
                12,
                List.of(8000),
                null,
                List.of(new Workload.Refusal("WORKLOAD_UNSUPPORTED", "an io_uring descriptor is open"))));
    }

    @Override
    public Set<String> resources(OperationSpec spec) {
        return Set.of();
    }

    @Override
    public Set<String> allResources() {
        return Set.of();
    }

    @Override
    public Result result(OperationLog log) {
        Completion.Saved saved =
                new Completion.Saved("{}", "d".repeat(64), TOTALS, 1.25, true, 512L << 20, 1L << 30, null);
        Completion.Thawed thawed =
                new Completion.Thawed(4711, 99, "llm", 3.82, Map.of(), 50.0 * (1L << 30), null, null);
        return switch (log.spec().request()) {
            case Task.Save save -> new Result(saved, null, false);
            case Task.Thaw thaw -> new Result(null, thawed, false);
            case Task.Switch to ->
                new Result(
                        null,
                        thawed,
                        to.candidates().stream()
                                .map(candidate -> new Completion.Suspended(candidate.snapshotId(), saved))
                                .toList(),
                        false);
            default -> new Result(null, null, false);
        };
    }

    @Override
    public Optional<Task.Process> process(int pid) {
        return pid == 4711 ? Optional.of(new Task.Process(4711, 99, "llm")) : Optional.empty();
    }

    @Override
    public List<Inventory.Tier> tiers() {
        return inventory().tiers();
    }

    @Override
    public Map<String, Long> quarantinedChunks() {
        return Map.of();
    }

    @Override
    public List<TierCheck> validateTiers(String name) {
        return "broken".equals(name)
                ? List.of(new TierCheck("broken", "write", false, "no answer", "mend the mount", Map.of()))
                : List.of();
    }

    @Override
    public Inspection inspect(UUID snapshot) throws CommandException {
        if (!snapshot.equals(SNAPSHOT)) {
            throw new CommandException(
                    ExitCode.FAILED, "SNAPSHOT_NOT_FOUND", "there is no snapshot " + snapshot, "gpusnap-node list");
        }
        return new Inspection(
                SNAPSHOT,
                "suspend",
                "2026-01-01T00:00:00Z",
                TOTALS,
                "d".repeat(64),
                "snapshot    " + SNAPSHOT + "\nneeds GPU   0: Simulated H100\n",
                "{\"schema\":\"gpusnap.manifest/1\"}",
                whole);
    }

    @Override
    public void forgetAllBut(Collection<OperationId> remembered) {
        forgottenAllBut = List.copyOf(remembered);
    }

    @Override
    public void close() {
        closed = true;
    }
}
