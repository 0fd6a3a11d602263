package io.gpusnap.node.operation;

/**
 * One step of an operation. A stage object belongs to one run of one plan; after a daemon restart a new object with the
 * same name takes its place, so whatever {@link #compensate} or a rerun needs must be among the remembered facts.
 */
public interface Stage {

    /** Kebab-case, unique within its plan, part of the API. */
    String name();

    /** Applies only to a {@link StageException#retryable(FailureCode, String) failure that may pass by itself}. */
    default RetryPolicy retry() {
        return RetryPolicy.none();
    }

    /** RERUN promises that {@link #run} is idempotent from remembered facts after a daemon crash, also before its first run. */
    default OnRestart onRestart() {
        return OnRestart.COMPENSATE;
    }

    /**
     * True when undoing from here on would harm the workload more than finishing. From the start of this stage on, the
     * operation is no longer cancelled, also when the lease is lost: it runs to its end and its outcome is kept.
     */
    default boolean pointOfNoReturn() {
        return false;
    }

    /**
     * True when what it does outlives the machine: a change of the store that names or frees something. All that was
     * remembered is on the disk before such a stage begins, and from then on each fact is. Other stages work with processes,
     * devices and memory, of which nothing is left to be undone when the machine has died.
     */
    default boolean lasting() {
        return false;
    }

    /**
     * True when a request to cancel may interrupt the thread that runs it, so that it ends as soon as it can: for a stage that
     * waits for others, such as a store that stalls. Whatever an interrupt cuts off, {@link #compensate} undoes.
     */
    default boolean interruptible() {
        return false;
    }

    /**
     * Does the work. Calls {@link StageContext#checkCancelled()} wherever it is safe to stop.
     *
     * @throws StageException on a typed failure; anything else that is thrown counts as INTERNAL
     */
    void run(StageContext context) throws StageException, InterruptedException;

    /** Undoes run(), also one cut off half-way by a crash. Idempotent; called in reverse order for every started stage. */
    default void compensate(StageContext context) throws StageException {}
}
