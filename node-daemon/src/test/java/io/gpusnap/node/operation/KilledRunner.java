package io.gpusnap.node.operation;

import java.io.IOException;
import java.nio.file.Path;

/** Main of a child JVM: runs the toy plan and kills itself with SIGKILL at one point of one stage. */
final class KilledRunner {

    private KilledRunner() {}

    /** Arguments: journal folder, world folder, operation id, stage, point, whether the last stage fails. */
    public static void main(String[] args) {
        ToyStage.Plan request = new ToyStage.Plan(args[1], Boolean.parseBoolean(args[5]));
        OperationSpec spec = new OperationSpec(OperationId.parse(args[2]), OperationKind.SAVE, request);
        Journal journal = Journal.open(Path.of(args[0]), ToyStage.FACTS);
        StageListener killer = new StageListener() {
            @Override
            public void reached(OperationSpec operation, String stage, StagePoint point) {
                if (stage.equals(args[3]) && point.name().equals(args[4])) {
                    killMyself();
                }
            }
        };
        new OperationRunner(journal, killer).begin(spec, ToyStage.plan(request)).run();
    }

    private static void killMyself() {
        try {
            new ProcessBuilder(
                            "kill", "-9", String.valueOf(ProcessHandle.current().pid()))
                    .start()
                    .waitFor();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException("cannot kill this process", e);
        }
        throw new IllegalStateException("survived SIGKILL");
    }
}
