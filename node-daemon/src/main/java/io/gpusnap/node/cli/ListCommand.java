package io.gpusnap.node.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "list", description = "List the snapshots of this node's store.")
final class ListCommand implements Callable<Integer> {

    private final CommandContext context;

    @Option(names = "--json", description = "answer as JSON")
    private boolean json;

    ListCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws CommandException {
        try (LocalNode node = LocalNode.look(context)) {
            List<UUID> ids = node.access().inventory().snapshots();
            if (ids == null) {
                throw new CommandException(
                        ExitCode.FAILED, "STORE_ERROR", "the store cannot be listed", "see the log above");
            }
            List<Inspection> found = new ArrayList<>();
            for (UUID id : ids) {
                found.add(node.access().inspect(id));
            }
            if (json) {
                context.printJson(found.stream().map(ListCommand::summary).toList());
            } else if (found.isEmpty()) {
                context.print("no snapshots");
            } else {
                found.forEach(one -> context.print(one.snapshot() + "  " + one.engine() + "  " + one.createdAt() + "  "
                        + Texts.bytes(one.totals().logicalBytes())));
            }
            return ExitCode.OK;
        }
    }

    private static Map<String, Object> summary(Inspection one) {
        return Map.of(
                "snapshotId",
                one.snapshot(),
                "engine",
                one.engine(),
                "createdAt",
                one.createdAt(),
                "totals",
                one.totals(),
                "manifestDigest",
                one.manifestDigest());
    }
}
