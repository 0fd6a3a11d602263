package io.gpusnap.node.cli;

import io.gpusnap.node.client.Task;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.OperationSpec;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
        name = "delete",
        description = "Delete a snapshot from this node's store. A service that knows it is not told: delete it there.")
final class DeleteCommand implements Callable<Integer> {

    private final CommandContext context;

    @Parameters(paramLabel = "SNAPSHOT", description = "its id")
    private String snapshot = "";

    DeleteCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws CommandException {
        UUID id = CommandContext.snapshotId(snapshot);
        try (LocalNode node = LocalNode.open(context)) {
            ManualRun.run(
                    context, node, new OperationSpec(OperationId.random(), OperationKind.DELETE, new Task.Delete(id)));
            context.print("snapshot " + id + " deleted");
            return ExitCode.OK;
        }
    }
}
