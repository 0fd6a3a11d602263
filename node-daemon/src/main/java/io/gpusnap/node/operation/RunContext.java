package io.gpusnap.node.operation;

import java.util.Optional;

/** The context of one attempt, or of one compensation. */
record RunContext(OperationLog log, Progress progress, Cancellation cancellation, Runnable inside)
        implements StageContext {

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
        log.remember(fact);
        inside.run();
    }

    @Override
    public <T extends Record> Optional<T> recall(Class<T> type) {
        return log.recall(type);
    }
}
