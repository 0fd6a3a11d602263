package io.gpusnap.node.engine;

import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessTree;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** The workload of the native contract suite: leads a session, and obeys one command a line, over pipes of this JVM. */
final class CommandWorkload implements AutoCloseable {

    private final Process process;
    private final BufferedReader answers;
    private final Writer commands;

    private CommandWorkload(Process process) {
        this.process = process;
        this.answers = process.inputReader();
        this.commands = process.outputWriter();
    }

    static CommandWorkload start(Path folder) throws IOException {
        Path program = TestNatives.folder().resolveSibling("bin/gpusnap-workload");
        Assumptions.assumeTrue(
                program.toFile().canExecute(), program + " is not there: build gpu-native with its tests");
        ProcessBuilder builder = new ProcessBuilder("setsid", program.toString())
                .directory(folder.toFile())
                .redirectError(folder.resolve("workload.err").toFile());
        builder.environment()
                .put(
                        "LD_LIBRARY_PATH",
                        TestNatives.simulatedDriver().getParent().toString());
        builder.environment().put("LD_PRELOAD", TestNatives.preload().toString());
        builder.environment().put("GPUSNAP_WORKLOAD", "commands");
        builder.environment()
                .put("GPUSNAP_SOCKET_DIR", folder.resolve("sockets").toString());
        CommandWorkload workload = new CommandWorkload(builder.start());
        workload.tell("init");
        return workload;
    }

    String tell(String command) throws IOException {
        commands.write(command + "\n");
        commands.flush();
        String answer = answers.readLine();
        if (answer == null || !answer.startsWith("ok")) {
            throw new IOException(command + ": " + answer);
        }
        return answer;
    }

    ProcessId process() {
        return new ProcFs().stat((int) process.pid()).orElseThrow().id();
    }

    @Override
    public void close() throws Exception {
        new ProcessTree(new ProcFs()).end(process());
    }
}
