package io.gpusnap.node.cli;

import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "inspect", description = "Show what a snapshot holds and what it needs.")
final class InspectCommand implements Callable<Integer> {

    private final CommandContext context;

    @Parameters(paramLabel = "SNAPSHOT", description = "its id")
    private String snapshot = "";

    @Option(names = "--json", description = "the manifest")
    private boolean json;

    InspectCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws CommandException {
        UUID id = CommandContext.snapshotId(snapshot);
        try (LocalNode node = LocalNode.look(context)) {
            Inspection found = node.access().inspect(id);
            if (json) {
                context.print(found.manifestJson());
            } else {
                context.print(found.text().stripTrailing());
            }
            return found.whole() ? ExitCode.OK : ExitCode.FAILED;
        }
    }
}
