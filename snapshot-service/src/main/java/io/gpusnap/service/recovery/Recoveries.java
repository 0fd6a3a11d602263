package io.gpusnap.service.recovery;

import io.gpusnap.service.node.NodeState;
import io.gpusnap.service.node.NodeStateChanged;
import io.gpusnap.service.node.WorkloadFencing;
import io.gpusnap.service.node.WorkloadReport;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.restore.Restores;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.event.EventListener;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpStatus;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Recovers what was on lost nodes. Every instance may run it: whose turn it is is one statement behind a lock that all share,
 * so the limit holds for all of them together.
 */
@Service
public class Recoveries implements WorkloadFencing {
    private static final Logger LOG = LoggerFactory.getLogger(Recoveries.class);

    private final RecoveryStore store;
    private final Restores restores;
    private final RecoverySettings settings;
    private final TransactionTemplate transaction;

    Recoveries(RecoveryStore store, Restores restores, RecoverySettings settings, TransactionTemplate transaction) {
        this.store = store;
        this.restores = restores;
        this.settings = settings;
        this.transaction = transaction;
    }

    /** Newest first; a filter that is null filters nothing. */
    @Transactional(readOnly = true)
    public Page<Recovery> list(@Nullable NodeId node, @Nullable RecoveryState state, PageQuery query) {
        return Page.of(
                query, store.list(node, state, query), recovery -> recovery.id().toString());
    }

    /** Before the workloads are LOST and the operations given up; all of it is one transaction. */
    @EventListener
    @Order(0)
    @Transactional(propagation = Propagation.MANDATORY)
    void nodeChanged(NodeStateChanged change) {
        if (change.state() == NodeState.LOST) {
            int lost = store.takeIn(change.nodeId());
            if (lost > 0) {
                LOG.warn("node {} is lost with {} processes that are to come back elsewhere", change.name(), lost);
            }
        }
    }

    @Scheduled(fixedDelayString = "${gpusnap.recovery.check-interval:1s}")
    void recover() {
        transaction.executeWithoutResult(status -> store.settle());
        Optional<RecoveryStore.Turn> turn;
        do {
            turn = transaction.execute(status -> store.next(settings.maxInFlight()));
        } while (turn.isPresent() && place(turn.get()));
    }

    /** Whether it is worth while to go on with the next one at once. */
    private boolean place(RecoveryStore.Turn turn) {
        try {
            transaction.executeWithoutResult(status -> {
                Restores.View view = restores.again(turn.lostRestore(), turn.lostNode());
                if (!store.placedBy(turn, view.restore().id())) {
                    status.setRollbackOnly();
                }
            });
            return true;
        } catch (ApiException refused) {
            boolean forGood = refused.code().status() == HttpStatus.NOT_FOUND;
            LOG.warn("recovery {}{}: {}", turn.id(), forGood ? "" : ", to be tried again", refused.detail());
            transaction.executeWithoutResult(status -> store.unplaced(turn, forGood));
            return forGood;
        }
    }

    @Override
    @Transactional(propagation = Propagation.MANDATORY)
    public List<WorkloadReport> toEnd(NodeId node, List<WorkloadReport> reported) {
        if (reported.isEmpty() || !store.concerns(node)) {
            return List.of();
        }
        store.notNeeded(node, reported);
        List<WorkloadReport> fenced = store.fence(node, reported);
        fenced.forEach(one ->
                LOG.warn("node {} still has process {} of {}, which is elsewhere by now", node, one.pid(), one.name()));
        return fenced;
    }
}
