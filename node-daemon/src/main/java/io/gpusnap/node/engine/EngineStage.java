package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.criu.CriuException;
import io.gpusnap.node.operation.Stage;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessException;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import java.io.IOException;

/** A stage that is timed, and whose parts' failures leave it typed. */
abstract class EngineStage implements Stage {

    private final String name;
    private final StageTimes times;

    EngineStage(String name, StageTimes times) {
        this.name = name;
        this.times = times;
    }

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final void run(StageContext context) throws StageException, InterruptedException {
        times.began(name);
        try {
            execute(context);
        } catch (GpuException | TierException | CriuException | ManifestException | ProcessException | IOException e) {
            throw Failures.typed(e);
        } finally {
            times.ended(name);
            ended(context);
        }
    }

    @Override
    public final void compensate(StageContext context) throws StageException {
        try {
            undo(context);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Failures.typed(e);
        } catch (GpuException | TierException | CriuException | ManifestException | ProcessException | IOException e) {
            throw Failures.typed(e);
        }
    }

    /** When it has run, however that ended. */
    void ended(StageContext context) {}

    abstract void execute(StageContext context)
            throws StageException, GpuException, TierException, CriuException, ManifestException, ProcessException,
                    IOException, InterruptedException;

    /** As {@link Stage#compensate}. */
    void undo(StageContext context)
            throws StageException, GpuException, TierException, CriuException, ManifestException, ProcessException,
                    IOException, InterruptedException {}
}
