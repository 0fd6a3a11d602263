package io.gpusnap.node.cli;

import io.gpusnap.node.client.Completion;
import io.gpusnap.node.engine.ExportRequest;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.store.SnapshotId;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "export",
        description = "Write a snapshot as one OCI image layout: a tar when PATH ends in .tar, else a folder."
                + " It holds the memory of a process, so it is yours alone; with tiers.keyFile it is encrypted.")
final class ExportCommand implements Callable<Integer> {

    private final CommandContext context;

    @Parameters(index = "0", paramLabel = "SNAPSHOT", description = "its id")
    private String snapshot = "";

    @Parameters(index = "1", paramLabel = "PATH", description = "what is made; nothing may be there yet")
    private Path path = Path.of("");

    @Option(names = "--plain", description = "not encrypted, although this node has a key")
    private boolean plain;

    @Option(names = "--max-rate", paramLabel = "SIZE", description = "bytes per second at most, such as 200MiB")
    private @Nullable String maxRate;

    @Option(names = "--json", description = "answer as JSON")
    private boolean json;

    ExportCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws CommandException {
        UUID id = CommandContext.snapshotId(snapshot);
        Long rate = CommandContext.rate(maxRate);
        Path target = path.toAbsolutePath().normalize();
        try (LocalNode node = LocalNode.open(context)) {
            OperationId operation = OperationId.random();
            ExportRequest request =
                    new ExportRequest(operation, new SnapshotId(id), target.toString(), plain, rate == null ? 0 : rate);
            OperationSpec spec = new OperationSpec(operation, OperationKind.TRANSFER, request);
            if (ManualRun.run(context, node, spec).tier() instanceof Completion.Transferred done) {
                show(target, done);
            }
            return ExitCode.OK;
        }
    }

    private void show(Path target, Completion.Transferred done) {
        if (json) {
            context.printJson(done);
            return;
        }
        context.print("snapshot %s is in %s after %s: %s"
                .formatted(snapshot, target, Texts.seconds(done.seconds()), Texts.bytes(done.bytesStored())));
    }
}
