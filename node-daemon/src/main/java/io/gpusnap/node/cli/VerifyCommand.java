package io.gpusnap.node.cli;

import io.gpusnap.node.client.Task;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.OperationSpec;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "verify", description = "Read every chunk of a snapshot back and compare its digest.")
final class VerifyCommand implements Callable<Integer> {

    private final CommandContext context;

    @Parameters(paramLabel = "SNAPSHOT", description = "its id")
    private String snapshot = "";

    VerifyCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws CommandException {
        UUID id = CommandContext.snapshotId(snapshot);
        try (LocalNode node = LocalNode.open(context)) {
            Inspection known = node.access().inspect(id);
            ManualRun.run(
                    context,
                    node,
                    new OperationSpec(
                            OperationId.random(), OperationKind.VERIFY, new Task.Verify(id, known.manifestDigest())));
            context.print("snapshot " + id + " is whole: " + known.totals().chunksTotal() + " chunks");
            return ExitCode.OK;
        }
    }
}
