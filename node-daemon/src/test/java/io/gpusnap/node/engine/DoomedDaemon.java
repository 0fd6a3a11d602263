package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/** A daemon that kills itself with SIGKILL where it is told to. */
final class DoomedDaemon {

    private DoomedDaemon() {}

    /**
     * Runs one in a JVM of its own, and returns when it is dead.
     *
     * @param verb save, thaw, switch, pull or push, with its arguments as {@link #main} takes them
     */
    static void live(Path folder, String stage, StagePoint point, String... verb) throws Exception {
        awaitDeath(start(folder, stage, point, verb), folder, stage + " " + point);
    }

    /** Starts one, which may also be killed by somebody else. */
    static Process start(Path folder, String stage, StagePoint point, String... verb) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                "-Dgpusnap.native.dir=" + TestNatives.folder(),
                "-Dgpusnap.root=" + System.getProperty("gpusnap.root", ".."),
                DoomedDaemon.class.getName(),
                folder.toString(),
                stage,
                point.name()));
        command.addAll(List.of(verb));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("doomed.out").toFile())
                .start();
    }

    static void awaitDeath(Process daemon, Path folder, String where) throws Exception {
        Path output = folder.resolve("doomed.out");
        boolean ended = daemon.waitFor(120, TimeUnit.SECONDS);
        daemon.destroyForcibly();
        assertThat(ended).as("%s: %s", where, Files.readString(output)).isTrue();
        assertThat(daemon.exitValue())
                .as("%s: the daemon was killed; it said: %s", where, Files.readString(output))
                .isEqualTo(128 + 9);
        Awaitility.await().until(() -> !daemon.isAlive());
    }

    /**
     * folder, stage, point, then one of: save ENGINE SNAPSHOT AFTERSAVE PID TICKS; thaw ENGINE SNAPSHOT; thaw-into PODUID CONTAINERID SNAPSHOT;
     * switch SNAPSHOT
     * PID TICKS SNAPSHOT (the second one is what the process is then frozen as); pull SNAPSHOT, and nfs ROOT or s3 ENDPOINT BUCKET;
     * push, and then as pull; export SNAPSHOT ARCHIVE; import ARCHIVE.
     */
    public static void main(String[] arguments) throws Exception {
        StageListener end = new KillAt(arguments[1], StagePoint.valueOf(arguments[2]));
        TestNode node = arguments[3].equals("pull") || arguments[3].equals("push")
                ? TestNode.open(
                        Path.of(arguments[0]), SharedPlace.of(List.of(arguments).subList(5, arguments.length)))
                : TestNode.open(Path.of(arguments[0]));
        TestNode.Ended ended = switch (arguments[3]) {
            case "save" ->
                node.save(
                        new EngineId(arguments[4]),
                        SnapshotId.parse(arguments[5]),
                        new ProcessId(Integer.parseInt(arguments[7]), Long.parseLong(arguments[8])),
                        AfterSave.valueOf(arguments[6]),
                        end);
            case "thaw" -> node.thaw(new EngineId(arguments[4]), SnapshotId.parse(arguments[5]), Optional.empty(), end);
            case "thaw-into" ->
                node.thawInto(new ContainerRef(arguments[4], arguments[5]), SnapshotId.parse(arguments[6]), end);
            case "switch" -> node.switchTo(switching(arguments), end);
            case "export" -> node.export(SnapshotId.parse(arguments[4]), Path.of(arguments[5]), false, end);
            case "import" -> node.bringIn(Path.of(arguments[4]), end);
            case "pull" -> node.transfer(SnapshotId.parse(arguments[4]), "nvme", end);
            case "push" -> node.transfer(SnapshotId.parse(arguments[4]), arguments[5], end);
            default -> throw new IllegalArgumentException(arguments[3]);
        };
        System.out.println("the operation ended before the daemon did: " + ended.outcome());
        System.exit(1);
    }

    private static SwitchRequest switching(String[] arguments) {
        return new SwitchRequest(
                OperationId.random(),
                SnapshotId.parse(arguments[4]),
                Optional.empty(),
                Optional.empty(),
                SwitchRequest.Policy.SUSPEND_OTHERS,
                List.of(new SwitchRequest.Candidate(
                        new ProcessId(Integer.parseInt(arguments[5]), Long.parseLong(arguments[6])),
                        SnapshotId.parse(arguments[7]),
                        Map.of())));
    }

    /**
     * At STARTED the end comes a moment later, in the middle of whatever the stage is doing then. A stage without safe points
     * and facts is killed where it returns.
     */
    private record KillAt(String stage, StagePoint point) implements StageListener {

        private static final long MOMENT_MILLIS = 60;

        @Override
        public void reached(OperationSpec spec, String reached, StagePoint at) {
            boolean here = at == point || (point == StagePoint.INSIDE && at == StagePoint.RETURNED);
            if (!reached.equals(stage) || !here) {
                return;
            }
            if (point == StagePoint.STARTED) {
                Thread.ofPlatform().daemon().start(() -> kill(MOMENT_MILLIS));
            } else {
                kill(0);
            }
        }

        private static void kill(long afterMillis) {
            try {
                Thread.sleep(afterMillis);
                new ProcessBuilder(
                                "/bin/sh",
                                "-c",
                                "kill -9 " + ProcessHandle.current().pid())
                        .inheritIO()
                        .start()
                        .waitFor();
                Thread.sleep(60_000);
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
