package io.gpusnap.node.operation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A stage whose effect is a file: {@code <name>.half} while it works, {@code <name>} when done. What a crash leaves is
 * therefore visible, and so is whether it was undone.
 */
final class ToyStage implements Stage {

    record Plan(String world, boolean failAtEnd) {}

    record Touched(String stage) {}

    private final Path world;
    private final String name;
    private final OnRestart onRestart;
    private final boolean fails;

    ToyStage(Path world, String name, OnRestart onRestart, boolean fails) {
        this.world = world;
        this.name = name;
        this.onRestart = onRestart;
        this.fails = fails;
    }

    static final FactRegistry FACTS = FactRegistry.of(Plan.class, Touched.class);

    static StagePlan plan(Plan plan) {
        Path world = Path.of(plan.world());
        return new StagePlan(
                OperationKind.SAVE,
                java.util.List.of(
                        new ToyStage(world, "open", OnRestart.COMPENSATE, false),
                        new ToyStage(world, "write", OnRestart.RERUN, false),
                        new ToyStage(world, "seal", OnRestart.COMPENSATE, plan.failAtEnd())));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public OnRestart onRestart() {
        return onRestart;
    }

    @Override
    public void run(StageContext context) throws StageException {
        try {
            Files.writeString(world.resolve(name + ".half"), "half");
            context.remember(new Touched(name));
            if (fails) {
                throw new StageException(FailureCode.CHUNK_CORRUPT, "made to fail");
            }
            Files.writeString(world.resolve(name), "done");
            Files.deleteIfExists(world.resolve(name + ".half"));
        } catch (IOException e) {
            throw new StageException(FailureCode.INTERNAL, "cannot touch the world", e);
        }
    }

    @Override
    public void compensate(StageContext context) throws StageException {
        try {
            Files.deleteIfExists(world.resolve(name));
            Files.deleteIfExists(world.resolve(name + ".half"));
        } catch (IOException e) {
            throw new StageException(FailureCode.INTERNAL, "cannot undo", e);
        }
    }
}
