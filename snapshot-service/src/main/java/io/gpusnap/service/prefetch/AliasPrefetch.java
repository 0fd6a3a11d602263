package io.gpusnap.service.prefetch;

import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.transaction.AfterCommit;
import io.gpusnap.service.snapshot.Moves;
import io.gpusnap.service.version.AliasChange;
import io.gpusnap.service.version.AliasMoved;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * An alias that is rolled back or promoted is wanted at once where its replicas came back so far. The move itself does not
 * depend on it: copies are asked for when the move is committed, and what cannot be copied is fetched by the next restore.
 */
@Component
class AliasPrefetch {
    private static final Logger LOG = LoggerFactory.getLogger(AliasPrefetch.class);

    private final ColdPlaces places;
    private final Moves moves;
    private final PrefetchSettings settings;
    private final TransactionTemplate afterwards;

    AliasPrefetch(
            ColdPlaces places, Moves moves, PrefetchSettings settings, PlatformTransactionManager transactionManager) {
        this.places = places;
        this.moves = moves;
        this.settings = settings;
        // The transaction of the move is still bound to the thread when its followers run.
        this.afterwards = new TransactionTemplate(transactionManager);
        this.afterwards.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
    }

    @EventListener
    void aliasMoved(AliasMoved moved) {
        boolean sudden = moved.kind() == AliasChange.Kind.ROLLED_BACK || moved.kind() == AliasChange.Kind.PROMOTED;
        String left = moved.leftVersionName();
        if (sudden && left != null && !left.equals(moved.versionName()) && settings.nodesOfAlias() > 0) {
            AfterCommit.run(() -> bring(moved, left));
        }
    }

    private void bring(AliasMoved moved, String left) {
        try {
            afterwards
                    .execute(status -> places.of(moved.model(), left, moved.versionName(), settings.nodesOfAlias()))
                    .forEach(place -> bring(moved, place));
        } catch (RuntimeException trouble) {
            // Whoever moved the alias has moved it.
            LOG.warn("no copies are brought for alias {} of {}", moved.alias(), moved.model(), trouble);
        }
    }

    private void bring(AliasMoved moved, ColdPlaces.Place place) {
        try {
            afterwards.executeWithoutResult(status -> moves.copy(new Moves.Copy(
                    place.snapshot(),
                    place.node(),
                    place.store(),
                    null,
                    TransferPriority.URGENT,
                    "Alias " + moved.alias() + " of " + moved.model() + " stands for " + moved.versionName()
                            + " now, and its replicas came back on this node.")));
        } catch (ApiException refused) {
            LOG.info(
                    "snapshot {} is not brought to node {} for alias {} of {}: {}",
                    place.snapshot(),
                    place.node(),
                    moved.alias(),
                    moved.model(),
                    refused.detail());
        }
    }
}
