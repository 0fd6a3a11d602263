package io.gpusnap.node.agent;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationLog;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.RunningOperation;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** An operation that this daemon runs, or whose outcome it still has to deliver. Thread-safe. */
final class HeldOperation {

    private final RunningOperation running;
    private final Lease lease;
    private final Semaphore changed = new Semaphore(0);
    private volatile long epoch;
    private volatile boolean fenced;
    private volatile boolean stopRequested;
    /** Asked to stop because it was, or may have been, handed to somebody else. */
    private boolean givenUp;

    private volatile Set<String> needed = Set.of();
    private final CountDownLatch settled = new CountDownLatch(1);
    private volatile @Nullable OperationOutcome outcome;

    HeldOperation(RunningOperation running, Lease lease, long epoch) {
        this.running = running;
        this.lease = lease;
        this.epoch = epoch;
    }

    OperationId id() {
        return running.spec().id();
    }

    OperationLog log() {
        return running.log();
    }

    RunningOperation running() {
        return running;
    }

    Lease lease() {
        return lease;
    }

    long epoch() {
        return epoch;
    }

    /** What it has, or waits for, to itself; nothing before it is known. */
    Set<String> needed() {
        return needed;
    }

    void needs(Set<String> keys) {
        needed = Set.copyOf(keys);
    }

    /** The service said that it is somebody else's. */
    boolean fenced() {
        return fenced;
    }

    boolean stopRequested() {
        return stopRequested;
    }

    /** Its outcome was delivered or is not wanted. */
    void settled() {
        settled.countDown();
    }

    void awaitSettled() throws InterruptedException {
        settled.await();
    }

    @Nullable
    OperationOutcome outcome() {
        return outcome;
    }

    void ended(OperationOutcome how) {
        outcome = how;
        touch();
    }

    /**
     * The same operation was claimed again: whatever is reported from now on carries the new epoch.
     *
     * @return false when it is already being given up, and has to be settled first
     */
    synchronized boolean claimedAgain(Claim claim) {
        if (givenUp) {
            return false;
        }
        log().remember(claim);
        epoch = claim.epoch();
        fenced = false;
        lease.renewed(lease.now());
        return true;
    }

    void cancel() {
        stop(FailureCode.CANCELLED, "cancelled on request");
    }

    /** @param ofEpoch the epoch that the service said is over; without effect when there has been another claim since */
    synchronized void fence(long ofEpoch, String reason) {
        if (ofEpoch != epoch) {
            return;
        }
        fenced = true;
        stop(FailureCode.LEASE_LOST, reason);
    }

    synchronized void giveUpWhenLeaseExpired() {
        if (outcome == null && lease.expired()) {
            stop(FailureCode.LEASE_LOST, "the service was not reached until the lease was over");
        }
    }

    void preempt(OperationId by) {
        stop(FailureCode.PREEMPTED, "switch %s was to go first; what was done was undone".formatted(by));
    }

    void daemonStops() {
        stop(FailureCode.DAEMON_RESTARTED, "the node daemon was stopped; what was done was undone");
    }

    private synchronized void stop(FailureCode code, String reason) {
        stopRequested = true;
        givenUp |= code == FailureCode.LEASE_LOST;
        running.cancel(code, reason);
        touch();
    }

    /** Something is worth a report at once. */
    void touch() {
        changed.release();
    }

    /** Waits for {@link #touch}, or until the time is over. */
    void awaitChange(long millis) throws InterruptedException {
        if (changed.tryAcquire(millis, TimeUnit.MILLISECONDS)) {
            changed.drainPermits();
        }
    }
}
