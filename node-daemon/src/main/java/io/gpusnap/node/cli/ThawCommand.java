package io.gpusnap.node.cli;

import io.gpusnap.node.client.Completion;
import io.gpusnap.node.client.Task;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.OperationSpec;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "thaw", description = "Bring a snapshot back to life on this node.")
final class ThawCommand implements Callable<Integer> {

    private final CommandContext context;

    @Parameters(paramLabel = "SNAPSHOT", description = "its id")
    private String snapshot = "";

    @Option(names = "--gpu", description = "GPU to use, ordinal in the snapshot = UUID here: --gpu 0=GPU-…")
    private Map<Integer, String> gpus = Map.of();

    @ArgGroup(exclusive = false)
    private @Nullable Into into;

    @Option(names = "--json", description = "answer as JSON")
    private boolean json;

    /** A container that waits for it. */
    static final class Into {

        @Option(names = "--pod-uid", required = true, description = "UID of the pod to thaw into")
        private String podUid = "";

        @Option(names = "--container", required = true, description = "id of its container, without containerd://")
        private String containerId = "";
    }

    ThawCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws CommandException {
        UUID id = CommandContext.snapshotId(snapshot);
        try (LocalNode node = LocalNode.open(context)) {
            Inspection known = node.access().inspect(id);
            Task.Thaw request =
                    new Task.Thaw(id, known.engine(), known.manifestDigest(), gpus, null, container(), null);
            Completion.Thawed thawed = Objects.requireNonNull(
                    ManualRun.run(context, node, new OperationSpec(OperationId.random(), OperationKind.THAW, request))
                            .thawed(),
                    "a thaw that succeeded has an outcome");
            show(thawed);
            return ExitCode.OK;
        }
    }

    private Task.@Nullable Container container() {
        Into named = into;
        return named == null ? null : new Task.Container(named.podUid, named.containerId);
    }

    private void show(Completion.Thawed thawed) {
        if (json) {
            context.printJson(thawed);
            return;
        }
        Double fill = thawed.fillBytesPerSecond();
        context.print("workload " + thawed.workloadName() + " runs as pid " + thawed.pid() + " after "
                + Texts.seconds(thawed.seconds()));
        if (fill != null && fill > 0) {
            context.print("  fill      " + Texts.bytes(fill) + "/s");
        }
    }
}
