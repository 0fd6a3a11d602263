package io.gpusnap.node.cli;

import io.gpusnap.node.agent.Agent;
import io.gpusnap.node.agent.Claim;
import io.gpusnap.node.agent.RefusedPlan;
import io.gpusnap.node.config.NodeSettings;
import io.gpusnap.node.operation.Journal;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationLog;
import io.gpusnap.node.operation.OperationRunner;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.OperationState;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StagePlan;
import io.gpusnap.node.operation.StateLock;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** This node for one command: state folder locked, engines open; for one that works, with what nobody needs any more freed. */
final class LocalNode implements AutoCloseable {

    private final StateLock lock;
    private final Journal journal;
    private final NodeAccess access;

    private LocalNode(StateLock lock, Journal journal, NodeAccess access) {
        this.lock = lock;
        this.journal = journal;
        this.access = access;
    }

    /** @throws CommandException IN_USE while a daemon or another command has the node */
    static LocalNode open(CommandContext context) throws CommandException {
        return open(context, context.settings());
    }

    static LocalNode open(CommandContext context, NodeSettings settings) throws CommandException {
        return open(context, settings, true);
    }

    /**
     * For commands that only tell: they take no memory and clean nothing up.
     *
     * @throws CommandException IN_USE while a daemon or another command has the node
     */
    static LocalNode look(CommandContext context) throws CommandException {
        return look(context, context.settings());
    }

    static LocalNode look(CommandContext context, NodeSettings settings) throws CommandException {
        return open(context, settings, false);
    }

    private static LocalNode open(CommandContext context, NodeSettings settings, boolean toWork)
            throws CommandException {
        StateLock lock = lock(settings);
        NodeAccess access = null;
        try {
            Journal journal = Journal.open(
                    settings.stateDir().resolve("journal"),
                    Agent.FACTS.plus(context.opener().facts()));
            access = toWork ? context.opener().open(settings) : context.opener().look(settings);
            if (toWork) {
                List<OperationId> remembered = new ArrayList<>(journal.damaged());
                journal.unfinished().forEach(log -> remembered.add(log.spec().id()));
                access.forgetAllBut(remembered);
            }
            return new LocalNode(lock, journal, access);
        } catch (CommandException | RuntimeException e) {
            if (access != null) {
                access.close();
            }
            release(lock, e);
            throw e;
        }
    }

    static StateLock lock(NodeSettings settings) throws CommandException {
        try {
            return StateLock.acquire(settings.stateDir());
        } catch (StateLock.HeldException e) {
            String holder = e.pid() > 0 ? "process " + e.pid() : "another process";
            throw new CommandException(
                    ExitCode.IN_USE,
                    "NODE_IN_USE",
                    holder + " works with " + settings.stateDir(),
                    "ask the service for this work, or stop that daemon first");
        } catch (IOException e) {
            throw new CommandException(
                    ExitCode.USAGE,
                    "STATE_DIR",
                    "state.dir " + settings.stateDir() + " cannot be used: " + e.getMessage(),
                    "set state.dir (--state-dir) to a folder that you may write");
        }
    }

    NodeAccess access() {
        return access;
    }

    Journal journal() {
        return journal;
    }

    OperationRunner runner(StageListener listener) {
        return new OperationRunner(journal, listener);
    }

    StagePlan plan(OperationSpec spec) {
        try {
            return access.plan(spec);
        } catch (StageException e) {
            return RefusedPlan.of(spec.kind(), e);
        }
    }

    /** What an earlier command or daemon left half-way. Outcomes that the service is owed stay, for the next daemon. */
    void recover(CommandContext context) {
        for (OperationLog log : journal.all()) {
            if (!log.ended()) {
                String operation =
                        "operation " + log.spec().id() + " (" + log.spec().kind() + ")";
                context.err()
                        .println(
                                log.state() == OperationState.PENDING
                                        ? "giving up " + operation + ", which had not begun"
                                        : "cleaning up " + operation + ", which was cut off");
                context.err().flush();
                runner(StageListener.NONE).resume(log, plan(log.spec())).run();
            }
            if (log.recall(Claim.class).isEmpty()) {
                journal.forget(log.spec().id());
            }
        }
    }

    @Override
    public void close() {
        try (StateLock held = lock) {
            access.close();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException("cannot let go of the state folder", e);
        }
    }

    private static void release(StateLock lock, Exception cause) {
        try {
            lock.close();
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
    }
}
