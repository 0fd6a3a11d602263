package io.gpusnap.service.tier;

import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.operation.NewOperation;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.OperationKind;
import io.gpusnap.service.operation.OperationOutcomes;
import io.gpusnap.service.operation.Operations;
import io.gpusnap.service.operation.Outcome;
import io.gpusnap.service.operation.TierResult;
import io.gpusnap.service.operation.TierSpec;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/**
 * Has shared stores swept: decides what goes, has one node delete it and list the rest, and learns from the list. Every
 * replica may run it; a store that is due is taken by one of them.
 */
@Component
class Sweeps implements OperationOutcomes {
    private static final Logger LOG = LoggerFactory.getLogger(Sweeps.class);
    private static final String CAPABILITY = "sweep";
    private static final int NODES_ASKED = 100;

    private final SweepRepository repository;
    private final Stores stores;
    private final StoreObjects objects;
    private final Nodes nodes;
    private final Operations operations;
    private final ObjectProvider<LostObjects> copies;
    private final SweepSettings settings;
    private final SweepMetrics metrics;

    Sweeps(
            SweepRepository repository,
            Stores stores,
            StoreObjects objects,
            Nodes nodes,
            Operations operations,
            ObjectProvider<LostObjects> copies,
            SweepSettings settings,
            SweepMetrics metrics) {
        this.repository = repository;
        this.stores = stores;
        this.objects = objects;
        this.nodes = nodes;
        this.operations = operations;
        this.copies = copies;
        this.settings = settings;
        this.metrics = metrics;
    }

    @Scheduled(
            fixedDelayString = "${gpusnap.sweeps.check-interval:1m}",
            initialDelayString = "${gpusnap.sweeps.check-interval:1m}")
    @Transactional
    void sweepDue() {
        repository.takeDue(settings.interval()).forEach(this::sweep);
    }

    /** Queues the store's next sweep, unless no node can do it now. */
    @Transactional
    Optional<Operation> sweep(SweepRepository.Due due) {
        Optional<NodeTier> tier = stores.seenBy(due.store(), NODES_ASKED).stream()
                .filter(one -> one.usable()
                        && one.ref().isPresent()
                        && nodes.get(one.nodeId()).whyNot(CAPABILITY).isEmpty())
                .findFirst();
        if (tier.isEmpty()) {
            return Optional.empty();
        }
        ObjectLedger ledger = objects.ledger(due.store());
        ledger.forget(settings.deleteLimit());
        ledger.condemn(settings.deleteLimit());
        List<String> doomed = ledger.doomed(settings.grace(), settings.deleteLimit());
        return Optional.of(operations.queue(new NewOperation(
                tier.get().nodeId(),
                new TierSpec.Sweep(
                        tier.get().ref().orElseThrow(),
                        repository.serviceId(),
                        doomed,
                        due.listAfter(),
                        settings.listLimit(),
                        settings.abortUploadsAfter().toSeconds(),
                        TransferPriority.BACKGROUND),
                null,
                Optional.empty(),
                Optional.empty(),
                Optional.of(due.store()))));
    }

    @Override
    public Set<OperationKind> kinds() {
        return Set.of(OperationKind.SWEEP);
    }

    @Override
    public Outcome settle(Operation operation, Outcome outcome, boolean workloadLost) {
        if (outcome instanceof Outcome.OfTier(TierResult.Swept swept)) {
            learn(operation, operations.sweepOf(operation), swept);
        }
        return outcome;
    }

    private void learn(Operation operation, TierSpec.Sweep asked, TierResult.Swept swept) {
        StoreId store = operation.storeId().orElseThrow();
        List<String> names =
                swept.objects().stream().map(TierResult.StoredObject::name).toList();
        // The order of names by their UTF-8 bytes is that of their code points, not that of String.
        String last = swept.complete() || names.isEmpty() ? null : Collections.max(names, SweepRepository.BY_BYTES);
        Set<SnapshotId> lacking = objects.lacking(
                store,
                names,
                new NameRange(asked.listAfter(), last),
                operation.startedAt().orElseThrow());
        lacking.stream()
                .sorted(Comparator.comparing(SnapshotId::value))
                .forEach(snapshot -> copies.forEach(listener -> listener.lacking(store, snapshot)));
        // After the snapshots: that is the order in which everybody locks them and the store.
        ObjectLedger ledger = objects.ledger(store);
        ledger.deleted(asked.delete());
        ledger.listed(StoreObjects.sizes(swept.objects()));
        if (!lacking.isEmpty()) {
            LOG.warn("{} copies in store {} lack an object", lacking.size(), store);
        }
        repository.listed(store, last);
        metrics.swept(swept.deletedBytes(), lacking.size());
    }
}
