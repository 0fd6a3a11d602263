package io.gpusnap.service.policy;

import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.web.IfMatch;
import io.gpusnap.service.policy.rules.Decision;
import io.gpusnap.service.snapshot.Moves;
import io.gpusnap.service.snapshot.SnapshotCommands;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Turns decisions into operations, each in a transaction of its own. Moves check everything again under the snapshot's lock,
 * so a decision that is out of date by now is refused and taken anew at the next evaluation.
 */
@Component
class Execution {
    static final String DECISIONS = "gpusnap.policy.decisions";

    private final Moves moves;
    private final SnapshotCommands snapshots;
    private final PolicySettings settings;
    private final JdbcClient jdbc;
    private final TransactionTemplate transaction;
    private final MeterRegistry registry;

    Execution(
            Moves moves,
            SnapshotCommands snapshots,
            PolicySettings settings,
            JdbcClient jdbc,
            TransactionTemplate transaction,
            MeterRegistry registry) {
        this.moves = moves;
        this.snapshots = snapshots;
        this.settings = settings;
        this.jdbc = jdbc;
        this.transaction = transaction;
        this.registry = registry;
    }

    List<CarriedOut> carryOut(List<Decision> decisions) {
        return decisions.stream().map(this::carryOut).toList();
    }

    private CarriedOut carryOut(Decision decision) {
        CarriedOut done = switch (decision) {
            case Decision.Copy copy -> attempt(copy, () -> copy(copy));
            case Decision.Remove remove ->
                attempt(remove, () -> moves.remove(remove.snapshot(), remove.store(), text(remove)));
            case Decision.Delete delete -> attempt(delete, () -> snapshots.delete(delete.snapshot(), new IfMatch("*")));
            case Decision.Keep keep -> nothing(keep);
            case Decision.Blocked blocked -> nothing(blocked);
        };
        registry.counter(
                        DECISIONS,
                        "rule",
                        decision.rule(),
                        "action",
                        decision.action(),
                        "result",
                        done.result().name().toLowerCase(Locale.ROOT))
                .increment();
        return done;
    }

    private CarriedOut attempt(Decision decision, Supplier<Optional<Operation>> action) {
        try {
            Optional<Operation> operation = transaction.execute(status -> action.get());
            return operation
                    .map(queued -> new CarriedOut(
                            decision, CarriedOut.Result.QUEUED, Optional.of(queued.id()), Optional.empty()))
                    .orElseGet(
                            () -> new CarriedOut(decision, CarriedOut.Result.DONE, Optional.empty(), Optional.empty()));
        } catch (ApiException refused) {
            return new CarriedOut(
                    decision, CarriedOut.Result.DEFERRED, Optional.empty(), Optional.of(refused.detail()));
        }
    }

    private static CarriedOut nothing(Decision decision) {
        return new CarriedOut(decision, CarriedOut.Result.NOTHING_TO_DO, Optional.empty(), Optional.empty());
    }

    private Optional<Operation> copy(Decision.Copy copy) {
        requireRoom(copy);
        return Optional.of(moves.copy(
                new Moves.Copy(copy.snapshot(), copy.by(), copy.store(), null, copy.priority(), text(copy))));
    }

    /** One asker at a time for a store, so that replicas together stay within its limit; that of a node they may pass by a little. */
    private void requireRoom(Decision.Copy copy) {
        // Not the store's row: that is locked after a snapshot's, and a snapshot's comes only later here.
        jdbc.sql("SELECT pg_advisory_xact_lock(hashtextextended('moves into ' || ?, 0))")
                .param(copy.store().toString())
                .query()
                .listOfRows();
        record Active(int store, int node) {}
        Active active = jdbc.sql("""
                        SELECT count(*) FILTER (WHERE store_id = :store) AS store, count(*) FILTER (WHERE node_id = :node) AS node
                          FROM operation
                         WHERE kind = 'TRANSFER' AND state IN ('PENDING', 'RUNNING') AND (store_id = :store OR node_id = :node)
                        """)
                .param("store", copy.store().value())
                .param("node", copy.by().value())
                .query((row, number) -> new Active(row.getInt("store"), row.getInt("node")))
                .single();
        if (active.store() >= settings.movesPerStore() || active.node() >= settings.movesPerNode()) {
            throw new ApiException(
                    ErrorCode.IN_USE,
                    "Store " + copy.store() + " is the target of " + active.store() + " transfers, and node "
                            + copy.by()
                            + " works on " + active.node() + "; the limits are " + settings.movesPerStore() + " and "
                            + settings.movesPerNode() + ".");
        }
    }

    private static String text(Decision decision) {
        return decision.rule() + ": " + decision.reason();
    }
}
