package io.gpusnap.node.cli;

import io.gpusnap.node.client.Completion;
import io.gpusnap.node.client.Inventory;
import io.gpusnap.node.client.Task;
import io.gpusnap.node.client.Workload;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.OperationSpec;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "save", description = "Freeze a running workload into a snapshot.")
final class SaveCommand implements Callable<Integer> {

    private static final String FULL = "criu+cuda";
    private static final String SUSPEND = "suspend";

    static final class Target {
        @Option(names = "--pid", description = "the workload's process id")
        @Nullable
        Integer pid;

        @Option(names = "--workload", description = "the workload's name (GPUSNAP_WORKLOAD)")
        @Nullable
        String name;
    }

    static final class Afterwards {
        @Option(names = "--keep-running", description = "the workload goes on (default)")
        boolean keepRunning;

        @Option(names = "--stop", description = "the workload ends once the snapshot is committed")
        boolean stop;
    }

    private final CommandContext context;

    @ArgGroup(multiplicity = "1")
    private @Nullable Target target;

    @ArgGroup
    private @Nullable Afterwards afterwards;

    @Option(names = "--engine", description = "criu+cuda or suspend; default: criu+cuda where it is available")
    private @Nullable String engine;

    @Option(
            names = "--keep-context",
            description = "engine suspend: its CUDA context stays on the GPU, so it is back sooner")
    private boolean keepContext;

    @Option(
            names = "--quiesce-seconds",
            description = "so long the application's callbacks may take, and its device to become idle; default: 30")
    private @Nullable Integer quiesceSeconds;

    @Option(names = "--fact", description = "kept in the manifest, such as --fact image=registry/llm:3")
    private Map<String, String> facts = Map.of();

    @Option(names = "--json", description = "answer as JSON")
    private boolean json;

    SaveCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws CommandException {
        try (LocalNode node = LocalNode.open(context)) {
            UUID snapshot = UUID.randomUUID();
            Task.Save request = new Task.Save(
                    snapshot,
                    engine == null ? bestEngine(node.access().inventory()) : engine,
                    process(node.access()),
                    afterwards != null && afterwards.stop ? "STOP" : "KEEP_RUNNING",
                    facts,
                    keepContext ? "CONTEXT_KEPT" : null,
                    quiesceSeconds);
            Completion.Saved saved = Objects.requireNonNull(
                    ManualRun.run(context, node, new OperationSpec(OperationId.random(), OperationKind.SAVE, request))
                            .saved(),
                    "a save that succeeded has an outcome");
            show(snapshot, request, saved);
            return ExitCode.OK;
        }
    }

    private void show(UUID snapshot, Task.Save request, Completion.Saved saved) {
        if (json) {
            context.printJson(Map.of(
                    "snapshotId",
                    snapshot,
                    "engine",
                    request.engine(),
                    "manifestDigest",
                    saved.manifestDigest(),
                    "totals",
                    saved.totals(),
                    "pauseSeconds",
                    saved.pauseSeconds(),
                    "workloadAlive",
                    saved.workloadAlive(),
                    "movedBytes",
                    saved.movedBytes(),
                    "rebuildableBytes",
                    saved.rebuildableBytes()));
            return;
        }
        Completion.Totals totals = saved.totals();
        context.print("snapshot " + snapshot);
        context.print("  engine    " + request.engine());
        context.print("  memory    " + Texts.bytes(totals.vramBytes()) + " device, " + Texts.bytes(totals.hostBytes())
                + " host");
        context.print("  stored    " + Texts.bytes(totals.storedBytes()) + ", " + totals.chunksStored() + " of "
                + totals.chunksTotal() + " chunks (" + totals.chunksZero() + " zero)");
        context.print("  moved     " + Texts.bytes(saved.movedBytes()) + " of device memory, "
                + Texts.bytes(saved.rebuildableBytes()) + " left out as rebuildable");
        context.print("  pause     " + Texts.seconds(saved.pauseSeconds()));
        context.print("  workload  " + (saved.workloadAlive() ? "alive" : "ended"));
    }

    private static String bestEngine(Inventory inventory) {
        return inventory.capabilities().stream().anyMatch(one -> one.name().equals(FULL) && one.available())
                ? FULL
                : SUSPEND;
    }

    private Task.Process process(NodeAccess access) throws CommandException {
        Target asked = Objects.requireNonNull(target);
        if (asked.pid != null) {
            int pid = asked.pid;
            return access.process(pid).orElseThrow(() -> notFound("there is no process " + pid));
        }
        List<Workload> found = access.workloads().stream()
                .filter(workload -> workload.name().equals(asked.name))
                .toList();
        if (found.isEmpty()) {
            throw notFound("no workload is named " + asked.name);
        }
        if (found.size() > 1) {
            String pids = String.join(
                    ", ",
                    found.stream()
                            .map(workload -> String.valueOf(workload.pid()))
                            .toList());
            throw new CommandException(
                    ExitCode.USAGE,
                    "USAGE",
                    "several workloads are named " + asked.name + ": " + pids,
                    "choose with --pid");
        }
        Workload workload = found.getFirst();
        return new Task.Process(workload.pid(), workload.startTimeTicks(), workload.name());
    }

    private static CommandException notFound(String detail) {
        FailureCode code = FailureCode.WORKLOAD_NOT_FOUND;
        return new CommandException(ExitCode.FAILED, code.name(), detail, Mends.of(code));
    }
}
