package io.gpusnap.service.platform.postgres;

import io.gpusnap.service.platform.config.BadConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * How a PostgreSQL program is started. It refuses to run as root; where the service is root, it runs in a user namespace
 * of its own in which it is nobody, while its files stay root's. And it gets a session of its own, so that a Ctrl-C in
 * the service's terminal reaches the service alone, which then stops the database in order.
 */
final class ServerUser {
    private static final int ROOT = 0;

    private final List<String> prefix;

    private ServerUser(List<String> prefix) {
        this.prefix = prefix;
    }

    static ServerUser detect() throws IOException, InterruptedException {
        if (!isRoot()) {
            return new ServerUser(List.of("setsid"));
        }
        Process probe = new ProcessBuilder("unshare", "--user", "true")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (!probe.waitFor(10, TimeUnit.SECONDS) || probe.exitValue() != 0) {
            throw new BadConfigurationException(
                    "spring.datasource.url",
                    "is not set, and PostgreSQL can be embedded neither as root nor, as this machine forbids user "
                            + "namespaces, as nobody; run the service as another user, or set it to a database of your own");
        }
        return new ServerUser(List.of("setsid", "unshare", "--user"));
    }

    List<String> command(Path program, List<String> arguments) {
        List<String> command = new ArrayList<>(prefix);
        command.add(program.toString());
        command.addAll(arguments);
        return command;
    }

    private static boolean isRoot() throws IOException {
        return Integer.valueOf(ROOT).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    }
}
