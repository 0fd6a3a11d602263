package io.gpusnap.node.operation;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The journal of one operation: every change goes to the file first, then into the state here. What is there survives the
 * daemon at once; the machine's death it survives from the next durable change on: see {@link #lasting}. Thread-safe.
 */
public final class OperationLog {

    private record FactKey(String scope, Class<? extends Record> type) {}

    private final OperationSpec spec;
    private final JournalFile file;
    private final JournalCodec codec;
    private final Map<String, StageStatus> stages = new LinkedHashMap<>();
    private final Map<FactKey, Record> facts = new LinkedHashMap<>();
    private OperationState state = OperationState.PENDING;
    private @Nullable OperationOutcome outcome;
    private boolean lasting;

    /** @param known facts from the spec; later ones of the same class replace them */
    OperationLog(OperationSpec spec, List<Record> known, JournalFile file, JournalCodec codec) {
        this.spec = spec;
        this.file = file;
        this.codec = codec;
        known.forEach(fact -> facts.put(new FactKey("", fact.getClass()), fact));
        file.linesAtOpening().forEach(line -> apply(codec.readEvent(line)));
    }

    public OperationSpec spec() {
        return spec;
    }

    public synchronized OperationState state() {
        return state;
    }

    /** What it ended with, or, while it is being undone, what it will end with. */
    public synchronized Optional<OperationOutcome> outcome() {
        return Optional.ofNullable(outcome);
    }

    public synchronized boolean ended() {
        return outcome != null && state != OperationState.UNDOING;
    }

    public synchronized List<StageStatus> stages() {
        return new ArrayList<>(stages.values());
    }

    /**
     * Of the operation itself. Durable before it returns.
     *
     * @throws JournalException when it cannot be made durable
     */
    public void remember(Record fact) {
        append(new JournalEvent.FactRemembered("", fact), true);
    }

    /** As {@link StageContext#remember} and {@link StageContext#scoped} have it. */
    void remember(String scope, Record fact) {
        append(new JournalEvent.FactRemembered(scope, fact));
    }

    /** From here on each change is durable, with all that came before it, when it has been appended. */
    synchronized void lasting() {
        lasting = true;
    }

    public <T extends Record> Optional<T> recall(Class<T> type) {
        return recall("", type);
    }

    synchronized <T extends Record> Optional<T> recall(String scope, Class<T> type) {
        return Optional.ofNullable(facts.get(new FactKey(scope, type))).map(type::cast);
    }

    /** Facts of this class in all scopes, the operation's own first if it was remembered first. */
    public synchronized <T extends Record> List<T> recallAll(Class<T> type) {
        return facts.values().stream().filter(type::isInstance).map(type::cast).toList();
    }

    /** Stages in the plan's order; those that the journal knows keep their state. */
    synchronized void expect(List<String> names) {
        Map<String, StageStatus> known = new LinkedHashMap<>(stages);
        stages.clear();
        names.forEach(name -> stages.put(name, known.getOrDefault(name, StageStatus.pending(name))));
        known.forEach(stages::putIfAbsent);
    }

    synchronized StageStatus stage(String name) {
        return stages.computeIfAbsent(name, StageStatus::pending);
    }

    /** An end, and that undoing began, are durable: nobody may find the operation before it any more. */
    synchronized void append(JournalEvent event) {
        boolean turn = switch (event) {
            case JournalEvent.StageChanged change -> false;
            case JournalEvent.FactRemembered fact -> false;
            case JournalEvent.UndoStarted undo -> true;
            case JournalEvent.Ended ended -> true;
        };
        append(event, turn || lasting);
    }

    private synchronized void append(JournalEvent event, boolean durably) {
        next(event)
                .ifPresent(this::requireLegal); // before it is written: a file with an illegal step could not be read
        // again
        try {
            String line = codec.write(event);
            if (durably) {
                file.appendDurably(line);
            } else {
                file.append(line);
            }
        } catch (IOException e) {
            throw new JournalException("cannot write the journal of operation " + spec.id() + ": " + e.getMessage(), e);
        }
        apply(event);
    }

    synchronized void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw new JournalException("cannot close the journal of operation " + spec.id(), e);
        }
    }

    private synchronized void apply(JournalEvent event) {
        next(event).ifPresent(next -> {
            requireLegal(next);
            state = next;
        });
        switch (event) {
            case JournalEvent.StageChanged change ->
                stages.put(change.stage(), stage(change.stage()).after(change));
            case JournalEvent.FactRemembered(String scope, Record fact) ->
                facts.put(new FactKey(scope, fact.getClass()), fact);
            case JournalEvent.UndoStarted(OperationOutcome why) -> outcome = why;
            case JournalEvent.Ended(OperationOutcome how) -> outcome = how;
        }
    }

    /** The state that the event leads to; empty where it stays. */
    private synchronized Optional<OperationState> next(JournalEvent event) {
        return switch (event) {
            case JournalEvent.StageChanged change ->
                state == OperationState.PENDING && change.state() == StageState.RUNNING
                        ? Optional.of(OperationState.RUNNING)
                        : Optional.empty();
            case JournalEvent.FactRemembered fact -> Optional.empty();
            case JournalEvent.UndoStarted undo -> Optional.of(OperationState.UNDOING);
            case JournalEvent.Ended(OperationOutcome how) -> Optional.of(endState(how));
        };
    }

    private synchronized void requireLegal(OperationState next) {
        if (!Transitions.legal(state, next)) {
            throw new IllegalStateException("operation " + spec.id() + " cannot go from " + state + " to " + next);
        }
    }

    private static OperationState endState(OperationOutcome outcome) {
        return switch (outcome) {
            case OperationOutcome.Succeeded s -> OperationState.SUCCEEDED;
            case OperationOutcome.Failed f -> OperationState.FAILED;
            case OperationOutcome.Cancelled c -> OperationState.CANCELLED;
        };
    }
}
