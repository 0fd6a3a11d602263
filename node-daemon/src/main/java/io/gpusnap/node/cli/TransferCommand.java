package io.gpusnap.node.cli;

import io.gpusnap.node.client.Completion;
import io.gpusnap.node.client.Task;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.OperationSpec;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What push and pull have in common: a copy of a snapshot into a tier. */
abstract class TransferCommand implements Callable<Integer> {

    private final CommandContext context;

    @Parameters(paramLabel = "SNAPSHOT", description = "its id")
    private String snapshot = "";

    @Option(names = "--max-rate", paramLabel = "SIZE", description = "bytes per second at most, such as 200MiB")
    private @Nullable String maxRate;

    @Option(names = "--json", description = "answer as JSON")
    private boolean json;

    TransferCommand(CommandContext context) {
        this.context = context;
    }

    /** The tier that gets the copy. */
    abstract String to();

    /** The tier that is read first, or null. */
    abstract @Nullable String from();

    @Override
    public Integer call() throws CommandException {
        UUID id = CommandContext.snapshotId(snapshot);
        Long rate = CommandContext.rate(maxRate);
        String from = from();
        try (LocalNode node = LocalNode.open(context)) {
            Task.Transfer request = new Task.Transfer(
                    id,
                    null,
                    from == null ? null : new Task.TierRef(from, null),
                    new Task.TierRef(to(), null),
                    Task.URGENT,
                    rate);
            OperationSpec spec = new OperationSpec(OperationId.random(), OperationKind.TRANSFER, request);
            if (ManualRun.run(context, node, spec).tier() instanceof Completion.Transferred done) {
                show(id, done);
            }
            return ExitCode.OK;
        }
    }

    private void show(UUID id, Completion.Transferred done) {
        if (json) {
            context.printJson(done);
            return;
        }
        context.print("snapshot " + id + " is in " + to() + " after " + Texts.seconds(done.seconds()));
        context.print("  moved     " + Texts.bytes(done.bytesMoved()));
        context.print("  stored    " + Texts.bytes(done.bytesStored()));
    }

    @Command(
            name = "push",
            description = "Copy a snapshot into a shared tier: what that lacks of it, proven by reading it back.")
    static final class Push extends TransferCommand {

        @Option(names = "--tier", required = true, paramLabel = "NAME", description = "as `tiers list` shows it")
        private String tier = "";

        Push(CommandContext context) {
            super(context);
        }

        @Override
        String to() {
            return tier;
        }

        @Override
        @Nullable
        String from() {
            return null;
        }
    }

    @Command(name = "pull", description = "Copy a snapshot from a shared tier into this node's own store.")
    static final class Pull extends TransferCommand {

        @Option(names = "--tier", required = true, paramLabel = "NAME", description = "as `tiers list` shows it")
        private String tier = "";

        @Option(names = "--to", paramLabel = "NAME", description = "nvme, which is the default, or memory")
        private String to = "nvme";

        Pull(CommandContext context) {
            super(context);
        }

        @Override
        String to() {
            return to;
        }

        @Override
        String from() {
            return tier;
        }
    }
}
