package io.gpusnap.node.agent;

import io.gpusnap.node.client.Heartbeat;
import io.gpusnap.node.client.Task;
import io.gpusnap.node.operation.Journal;
import io.gpusnap.node.operation.LogKeys;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.OperationLog;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.OperationRunner;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.OperationState;
import io.gpusnap.node.operation.RunningOperation;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.operation.StagePlan;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * Runs what was claimed and what earlier daemons left. Each operation has a virtual thread that runs and delivers it and one
 * that reports on it.
 */
final class OperationSupervisor {

    private static final Logger LOG = LoggerFactory.getLogger(OperationSupervisor.class);

    private final Journal journal;
    private final OperationRunner runner;
    private final NodeWork work;
    private final ProgressReporter reporter;
    private final OutcomeDelivery delivery;
    private final AgentTiming timing;
    private final Exclusions exclusions = new Exclusions();
    private final Map<OperationId, HeldOperation> held = new ConcurrentHashMap<>();
    private final Threads threads;
    private volatile Runnable whenSettled = () -> {};

    OperationSupervisor(
            Journal journal,
            OperationRunner runner,
            NodeWork work,
            ProgressReporter reporter,
            OutcomeDelivery delivery,
            AgentTiming timing,
            Threads threads) {
        this.journal = journal;
        this.runner = runner;
        this.work = work;
        this.reporter = reporter;
        this.delivery = delivery;
        this.timing = timing;
        this.threads = threads;
    }

    /** Called whenever the service knows an outcome: the node looks different from then on. */
    void onSettled(Runnable action) {
        whenSettled = action;
    }

    /** Finishes or undoes what an earlier daemon left half-way, ends what it had not begun; returns when all has ended. */
    void recover() throws InterruptedException {
        // A deletion sweeps what nothing names; what the others count on is named only while they run.
        Predicate<OperationLog> deletes = log -> log.spec().kind() == OperationKind.DELETE;
        recover(journal.all().stream().filter(deletes.negate()).toList());
        recover(journal.all().stream().filter(deletes).toList());
        held.values().forEach(operation -> threads.start("deliver", () -> finish(operation)));
    }

    private void recover(List<OperationLog> logs) throws InterruptedException {
        List<Thread> recovering = new ArrayList<>();
        for (OperationLog log : logs) {
            Optional<Claim> claim = log.recall(Claim.class);
            Optional<Unwanted> unwanted = log.recall(Unwanted.class);
            if (log.ended() && unwanted.isPresent()) {
                continue;
            }
            if (claim.isPresent()) {
                HeldOperation operation = hold(runner.resume(log, plan(log.spec())), claim.get());
                if (!log.ended()) {
                    LOG.atWarn().addKeyValue(LogKeys.OPERATION, operation.id()).log("taking up what a daemon left");
                }
                recovering.add(threads.start("recover", () -> execute(operation)));
            } else {
                runner.resume(log, plan(log.spec())).run();
                journal.forget(log.spec().id());
            }
        }
        for (Thread thread : recovering) {
            thread.join();
        }
    }

    /** Takes a claimed task and returns; {@code whenEnded} is called once the work has ended. */
    void accept(Task task, int leaseSeconds, Runnable whenEnded) {
        Claim claim = new Claim(task.epoch(), leaseSeconds);
        OperationId id = new OperationId(task.operationId());
        HeldOperation known = held.get(id);
        if (known == null) {
            acceptNew(task, claim, whenEnded);
        } else if (known.claimedAgain(claim)) {
            whenEnded.run();
        } else {
            // What was begun under the old epoch has to be undone, or finished, before the workload is touched again.
            threads.start("claimed again", () -> {
                known.awaitSettled();
                accept(task, leaseSeconds, whenEnded);
            });
        }
    }

    private void acceptNew(Task task, Claim claim, Runnable whenEnded) {
        OperationId id = new OperationId(task.operationId());
        Optional<OperationLog> kept = journal.find(id);
        if (kept.isPresent()
                && kept.get().outcome().map(OutcomeDelivery::wouldHarmToRepeat).orElse(true)) {
            HeldOperation operation =
                    hold(runner.resume(kept.get(), plan(kept.get().spec())), claim);
            operation.claimedAgain(claim);
            start(operation, whenEnded);
            return;
        }
        journal.forget(id);
        Requests.spec(task).ifPresentOrElse(spec -> begin(spec, claim, whenEnded), () -> {
            LOG.atError()
                    .addKeyValue(LogKeys.OPERATION, id)
                    .addKeyValue(LogKeys.KIND, task.kind())
                    .log("the task lacks its description; its lease will run out");
            whenEnded.run();
        });
    }

    private void begin(OperationSpec spec, Claim claim, Runnable whenEnded) {
        start(hold(runner.begin(spec, plan(spec), claim), claim), whenEnded);
    }

    private void start(HeldOperation operation, Runnable whenEnded) {
        threads.start("operation", () -> {
            try {
                execute(operation);
            } finally {
                whenEnded.run();
            }
            finish(operation);
        });
    }

    private void execute(HeldOperation operation) throws InterruptedException {
        if (operation.log().ended()) {
            operation.ended(operation.running().run());
            return;
        }
        threads.start("progress", () -> reporter.reportUntilEnded(operation));
        OperationSpec spec = operation.running().spec();
        boolean preempts = Requests.preempts(spec);
        Optional<Set<String>> taken = exclusions.take(() -> needs(operation, spec), preempts, () -> {
            if (preempts) {
                preemptThaws(operation);
            }
            return operation.stopRequested();
        });
        try {
            // Not taken means cancelled while waiting: running it then ends it at once, with nothing touched.
            OperationOutcome outcome = operation.running().run();
            operation.ended(outcome);
            logEnd(operation, outcome);
        } finally {
            taken.ifPresent(exclusions::release);
        }
    }

    /** What an earlier life of this daemon began is not looked into: CRIU may still be at work on its process. */
    private Set<String> needs(HeldOperation operation, OperationSpec spec) {
        boolean begun = operation.log().state() != OperationState.PENDING;
        Set<String> needed = Requests.exclusions(spec, begun ? work.allResources() : work.resources(spec));
        operation.needs(needed);
        return needed;
    }

    /** Those in its way that have begun; past their point of no return they run to their end all the same. */
    private void preemptThaws(HeldOperation by) {
        held.values().stream()
                .filter(other -> !Collections.disjoint(other.needed(), by.needed()))
                .filter(other -> other.running().spec().kind() == OperationKind.THAW)
                .filter(other -> other.outcome() == null && other.log().state() == OperationState.RUNNING)
                .forEach(other -> other.preempt(by.id()));
    }

    private static void logEnd(HeldOperation operation, OperationOutcome outcome) {
        LoggingEventBuilder line = LOG.atInfo()
                .addKeyValue(LogKeys.OPERATION, operation.id())
                .addKeyValue(LogKeys.KIND, operation.running().spec().kind());
        switch (outcome) {
            case OperationOutcome.Succeeded s -> line.log("succeeded");
            case OperationOutcome.Failed f ->
                line.addKeyValue(LogKeys.CODE, f.code())
                        .addKeyValue(LogKeys.REASON, f.detail())
                        .log("failed");
            case OperationOutcome.Cancelled c ->
                line.addKeyValue(LogKeys.CODE, c.code())
                        .addKeyValue(LogKeys.REASON, c.reason())
                        .log("cancelled");
        }
    }

    private void finish(HeldOperation operation) throws InterruptedException {
        try {
            delivery.deliver(operation, Objects.requireNonNull(operation.outcome()));
        } finally {
            held.remove(operation.id(), operation);
            operation.settled();
            whenSettled.run();
        }
    }

    private HeldOperation hold(RunningOperation running, Claim claim) {
        Lease lease = new Lease(timing.nanoTime(), Duration.ofSeconds(claim.leaseSeconds()));
        HeldOperation operation = new HeldOperation(running, lease, claim.epoch());
        held.put(operation.id(), operation);
        return operation;
    }

    /** A request that cannot be planned becomes an operation that fails with the reason. */
    private StagePlan plan(OperationSpec spec) {
        try {
            return work.plan(spec);
        } catch (StageException e) {
            return RefusedPlan.of(spec.kind(), e);
        }
    }

    /** Leases that ran out, and outcomes that waited long enough to be wanted again. */
    void lookAtTheClock() {
        held.values().forEach(HeldOperation::giveUpWhenLeaseExpired);
        Instant oldest = InstantSource.system().instant().minus(timing.keepUnwanted());
        for (OperationLog log : journal.all()) {
            OperationId id = log.spec().id();
            boolean old = log.recall(Unwanted.class)
                    .map(unwanted -> unwanted.since().isBefore(oldest))
                    .orElse(false);
            if (old && !held.containsKey(id)) {
                journal.forget(id);
            }
        }
    }

    List<Heartbeat.Held> running() {
        return held.values().stream()
                .map(operation -> new Heartbeat.Held(operation.id().value(), operation.epoch()))
                .toList();
    }

    void ifHeld(OperationId id, Consumer<HeldOperation> action) {
        Optional.ofNullable(held.get(id)).ifPresent(action);
    }

    void forEach(Consumer<HeldOperation> action) {
        held.values().forEach(action);
    }

    /** @return false when the time was over first */
    boolean awaitEnded(Duration longest) throws InterruptedException {
        return await(longest, () -> held.values().stream().allMatch(operation -> operation.outcome() != null));
    }

    /** @return false when the time was over first */
    boolean awaitSettled(Duration longest) throws InterruptedException {
        return await(longest, held::isEmpty);
    }

    private boolean await(Duration longest, BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + longest.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end >= 0) {
                return false;
            }
            Thread.sleep(20);
        }
        return true;
    }
}
