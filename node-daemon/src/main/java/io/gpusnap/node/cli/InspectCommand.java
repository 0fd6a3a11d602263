package io.gpusnap.node.cli;

import io.gpusnap.node.client.Completion;
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

    @Option(names = "--json", description = "the manifest itself, its exact bytes")
    private boolean json;

    InspectCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws CommandException {
        UUID id = CommandContext.snapshotId(snapshot);
        try (LocalNode node = LocalNode.open(context)) {
            Inspection found = node.access().inspect(id);
            if (json) {
                context.print(found.manifestJson());
            } else {
                show(found);
            }
            return found.problems().isEmpty() ? ExitCode.OK : ExitCode.FAILED;
        }
    }

    private void show(Inspection found) {
        Completion.Totals totals = found.totals();
        context.print("snapshot  " + found.snapshot());
        context.print("engine    " + found.engine());
        context.print("created   " + found.createdAt());
        context.print("process   pid " + found.pid() + ": " + String.join(" ", found.process()));
        context.print("memory    " + Texts.bytes(totals.vramBytes()) + " device, " + Texts.bytes(totals.hostBytes())
                + " host");
        context.print(
                "chunks    " + totals.chunksTotal() + ", " + totals.chunksZero() + " of them zero; this save stored "
                        + totals.chunksStored() + ", " + Texts.bytes(totals.storedBytes()));
        context.print("digest    " + found.manifestDigest());
        found.environment().forEach(line -> context.print("needs     " + line));
        found.problems().forEach(line -> context.print("problem   " + line));
    }
}
