package io.gpusnap.node.cli;

import io.gpusnap.node.client.Completion;
import io.gpusnap.node.engine.ArchiveInfo;
import io.gpusnap.node.engine.Archives;
import io.gpusnap.node.engine.ImportRequest;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.StageException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "import",
        description =
                "Bring a snapshot out of what export has written. All of it is verified before the snapshot is there.")
final class ImportCommand implements Callable<Integer> {

    private static final String MEND = "take an archive that gpusnap-node export has written, whole and unchanged";

    private final CommandContext context;

    @Parameters(paramLabel = "PATH", description = "a folder or a tar")
    private Path path = Path.of("");

    @Option(names = "--max-rate", paramLabel = "SIZE", description = "bytes per second at most, such as 200MiB")
    private @Nullable String maxRate;

    @Option(names = "--json", description = "answer as JSON")
    private boolean json;

    ImportCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws CommandException {
        Long rate = CommandContext.rate(maxRate);
        Path source = path.toAbsolutePath().normalize();
        ArchiveInfo archive = look(source);
        try (LocalNode node = LocalNode.open(context)) {
            OperationId operation = OperationId.random();
            ImportRequest request = new ImportRequest(
                    operation,
                    archive.snapshot(),
                    archive.manifestDigest(),
                    source.toString(),
                    rate == null ? 0 : rate);
            OperationSpec spec = new OperationSpec(operation, OperationKind.TRANSFER, request);
            if (ManualRun.run(context, node, spec).tier() instanceof Completion.Transferred done) {
                show(archive, done);
            }
            return ExitCode.OK;
        }
    }

    /** Before the node is opened: what is no archive is refused with nothing touched. */
    private static ArchiveInfo look(Path source) throws CommandException {
        try {
            return Archives.look(source);
        } catch (StageException e) {
            throw new CommandException(ExitCode.FAILED, e.code().name(), source + ": " + e.detail(), MEND);
        }
    }

    private void show(ArchiveInfo archive, Completion.Transferred done) {
        if (json) {
            context.printJson(done);
            return;
        }
        context.print("snapshot " + archive.snapshot() + " is here after " + Texts.seconds(done.seconds()));
        context.print("  read      " + Texts.bytes(done.bytesMoved()));
        context.print("  stored    " + Texts.bytes(done.bytesStored()));
    }
}
