package io.gpusnap.node.engine;

import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.transfer.Joining;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;

/**
 * Looks that do not depend on each other, taken at the same time: each waits for somebody else, a driver or a workload. All of
 * them are taken to their end. The first that failed, in their order, says why, as if one had been taken after the other.
 */
final class AtOnce {

    /** One look; its failures are typed. */
    @FunctionalInterface
    interface Look {
        void take() throws StageException, InterruptedException;
    }

    private AtOnce() {}

    /** @throws StageException of the first that failed */
    static void run(Stream<Look> looks) throws StageException, InterruptedException {
        List<FutureTask<Void>> tasks = looks.map(AtOnce::task).toList();
        // Platform threads: a look is a native call most of its time.
        List<Thread> threads = tasks.stream()
                .skip(1)
                .map(task -> Thread.ofPlatform().daemon().name("look").start(task))
                .toList();
        tasks.stream().limit(1).forEach(FutureTask::run);
        Joining.all(threads);
        for (FutureTask<Void> task : tasks) {
            if (task.state() == FutureTask.State.FAILED) {
                throw failure(task.exceptionNow());
            }
        }
    }

    private static FutureTask<Void> task(Look look) {
        return new FutureTask<>(() -> {
            look.take();
            return null;
        });
    }

    private static StageException failure(Throwable thrown) throws InterruptedException {
        return switch (thrown) {
            case StageException e -> e;
            case InterruptedException e -> throw e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException("a look broke", thrown);
        };
    }
}
