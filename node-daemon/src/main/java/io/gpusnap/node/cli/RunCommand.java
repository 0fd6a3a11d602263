package io.gpusnap.node.cli;

import io.gpusnap.node.config.NodeSettings;
import io.gpusnap.node.config.ServiceSettings;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;

@Command(
        name = "run",
        description =
                "Run the daemon: serve the snapshot service until SIGTERM or SIGINT, then stop at the next safe point.")
final class RunCommand implements Callable<Integer> {

    private final CommandContext context;

    RunCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws CommandException, InterruptedException {
        NodeSettings settings = context.settings();
        ServiceSettings service = settings.service()
                .orElseThrow(
                        () -> new CommandException(
                                ExitCode.USAGE,
                                "CONFIGURATION",
                                "service.url is not set",
                                "set it (--service-url) to the address of snapshot-service, and service.tokenFile to its access token"));
        LocalNode node = LocalNode.open(context, settings);
        Daemon daemon;
        try {
            daemon = Daemon.start(settings, service, node);
        } catch (CommandException | RuntimeException e) {
            node.close();
            throw e;
        }
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> {
            daemon.close();
            // A daemon that was asked to stop and did has not failed: without this the status would be the signal's.
            Runtime.getRuntime().halt(ExitCode.OK);
        }));
        new CountDownLatch(1).await();
        return ExitCode.OK;
    }
}
