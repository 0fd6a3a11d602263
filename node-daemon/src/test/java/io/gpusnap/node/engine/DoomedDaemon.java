package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** A daemon that kills itself with SIGKILL where it is told to. */
final class DoomedDaemon {

    private DoomedDaemon() {}

    /** folder save|thaw engine snapshot afterSave pid startTimeTicks stage point */
    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        EngineId engine = new EngineId(arguments[2]);
        SnapshotId snapshot = SnapshotId.parse(arguments[3]);
        ProcessId workload = new ProcessId(Integer.parseInt(arguments[5]), Long.parseLong(arguments[6]));
        StageListener end = new KillAt(arguments[7], StagePoint.valueOf(arguments[8]));
        TestNode node = TestNode.open(folder);
        TestNode.Ended ended = arguments[1].equals("save")
                ? node.save(engine, snapshot, workload, AfterSave.valueOf(arguments[4]), end)
                : node.thaw(engine, snapshot, Optional.empty(), end);
        System.out.println("the operation ended before the daemon did: " + ended.outcome());
        System.exit(1);
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
