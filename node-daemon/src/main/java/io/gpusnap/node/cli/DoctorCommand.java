package io.gpusnap.node.cli;

import io.gpusnap.node.client.Inventory;
import io.gpusnap.node.config.NodeSettings;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "doctor",
        description =
                "Say what works on this node, what is missing, and how to get it. Exit status 0 when at least suspend works.")
final class DoctorCommand implements Callable<Integer> {

    private static final String LEAST = "suspend";

    private final CommandContext context;

    @Option(names = "--json", description = "answer as JSON")
    private boolean json;

    DoctorCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws CommandException {
        List<Inventory.Capability> capabilities = capabilities();
        if (json) {
            context.printJson(capabilities);
        } else {
            capabilities.forEach(this::show);
        }
        boolean works = capabilities.stream().anyMatch(one -> one.name().equals(LEAST) && one.available());
        return works ? ExitCode.OK : ExitCode.FAILED;
    }

    /** A daemon that runs has the node to itself: then it is asked. */
    private List<Inventory.Capability> capabilities() throws CommandException {
        NodeSettings settings = context.settings();
        try (LocalNode node = LocalNode.look(context, settings)) {
            return node.access().inventory().capabilities();
        } catch (CommandException e) {
            if (e.exitCode() == ExitCode.IN_USE && settings.metricsListen().isPresent()) {
                return RunningDaemon.capabilities(settings.metricsListen().get())
                        .orElseThrow(() -> e);
            }
            throw e;
        }
    }

    private void show(Inventory.Capability one) {
        String reason = one.reason() == null ? "" : one.reason();
        context.print(String.format("%-8s %-16s %s", one.available() ? "ok" : "missing", one.name(), reason)
                .stripTrailing());
    }
}
