package io.gpusnap.node.cli;

import io.gpusnap.node.agent.NodeWork;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.RunningOperation;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Runs one operation by hand: journaled like the daemon's, cancelled and undone by a signal. */
final class ManualRun {

    private static final long UNDO_SECONDS = 120;

    private ManualRun() {}

    /** @throws CommandException with the failure's code and mend */
    static NodeWork.Result run(CommandContext context, LocalNode node, OperationSpec spec) throws CommandException {
        node.recover(context);
        ProgressPrinter printer = new ProgressPrinter(context.err(), context.terminal());
        RunningOperation operation = node.runner(printer).begin(spec, node.plan(spec));
        CountDownLatch over = new CountDownLatch(1);
        Thread hook = Thread.ofPlatform().unstarted(() -> cancelAndWait(operation, over));
        Thread follower = Thread.startVirtualThread(() -> printer.follow(operation));
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            OperationOutcome outcome = operation.run();
            follower.interrupt();
            NodeWork.Result result = node.access().result(operation.log());
            node.journal().forget(spec.id());
            check(outcome, result);
            return result;
        } finally {
            over.countDown();
            removeHook(hook);
        }
    }

    private static void check(OperationOutcome outcome, NodeWork.Result result) throws CommandException {
        switch (outcome) {
            case OperationOutcome.Succeeded s -> {}
            case OperationOutcome.Failed f ->
                throw new CommandException(
                        ExitCode.FAILED,
                        f.code().name(),
                        text(f.stage().map(stage -> stage + ": ").orElse("") + f.detail(), f.undoProblems(), result),
                        Mends.of(f.code()));
            case OperationOutcome.Cancelled c ->
                throw new CommandException(
                        ExitCode.CANCELLED,
                        c.code().name(),
                        text(c.reason(), c.undoProblems(), result),
                        Mends.of(c.code()));
        }
    }

    private static String text(String detail, List<String> undoProblems, NodeWork.Result result) {
        String undone = undoProblems.isEmpty() ? "" : "; not undone: " + String.join("; ", undoProblems);
        String lost = result.workloadLost() ? "; the workload is lost" : "";
        return (detail + undone + lost).replace('\n', ' ');
    }

    private static void cancelAndWait(RunningOperation operation, CountDownLatch over) {
        operation.cancel(FailureCode.CANCELLED, "cancelled by a signal; what was done was undone");
        try {
            if (!over.await(UNDO_SECONDS, TimeUnit.SECONDS)) {
                System.err.println("still not at an end: the next command or daemon cleans up");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The shutdown that the hook belongs to is under way: it has done its work.
            return;
        }
    }
}
