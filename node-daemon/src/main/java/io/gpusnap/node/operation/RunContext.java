package io.gpusnap.node.operation;

import java.util.Optional;

/**
 * The context of one attempt, or of one compensation.
 *
 * @param scope of the facts; "" for the operation's own
 */
record RunContext(OperationLog log, Progress progress, Cancellation cancellation, Runnable inside, String scope)
        implements StageContext {

    RunContext(OperationLog log, Progress progress, Cancellation cancellation, Runnable inside) {
        this(log, progress, cancellation, inside, "");
    }

    @Override
    public OperationId operationId() {
        return log.spec().id();
    }

    @Override
    public void checkCancelled() {
        inside.run();
        cancellation.check();
    }

    @Override
    public void remember(Record fact) {
        log.remember(scope, fact);
        inside.run();
    }

    @Override
    public <T extends Record> Optional<T> recall(Class<T> type) {
        return log.recall(scope, type);
    }

    @Override
    public StageContext scoped(String inner) {
        if (inner.isEmpty()) {
            throw new IllegalArgumentException("a scope has a name");
        }
        return new RunContext(
                log, progress.part(), cancellation, inside, scope.isEmpty() ? inner : scope + "/" + inner);
    }
}
