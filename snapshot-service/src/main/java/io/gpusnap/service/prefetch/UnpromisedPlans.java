package io.gpusnap.service.prefetch;

import io.gpusnap.service.forecast.prefetch.Need;
import io.gpusnap.service.forecast.prefetch.Plan;
import io.gpusnap.service.forecast.prefetch.PrefetchPlanner;
import io.gpusnap.service.forecast.prefetch.Site;
import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.snapshot.CopyPromises;
import io.gpusnap.service.snapshot.Snapshots;
import io.gpusnap.service.tier.Store;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.springframework.stereotype.Component;

/**
 * Plans that give up nothing that somebody counts on. Its removal would be refused in each round anew, and what is brought to its node
 * would wait for the room as often.
 */
@Component
class UnpromisedPlans {
    private final Snapshots snapshots;
    private final CopyPromises promises;

    UnpromisedPlans(Snapshots snapshots, CopyPromises promises) {
        this.snapshots = snapshots;
        this.promises = promises;
    }

    private record Held(NodeId node, SnapshotId snapshot) {}

    /** Plans again with what is promised pinned, until nothing that goes is: each time at least one copy more. */
    Plan plan(PrefetchPlanner planner, List<Need> needs, List<Site> sites, Inventory.TierKind tier) {
        List<Site> open = sites;
        while (true) {
            Plan plan = planner.plan(needs, open);
            Set<Held> promised = plan.evictions().stream()
                    .map(eviction -> new Held(eviction.node(), eviction.snapshot()))
                    .filter(held -> isPromised(held, tier))
                    .collect(Collectors.toSet());
            if (promised.isEmpty()) {
                return plan;
            }
            open = open.stream().map(site -> pinned(site, promised)).toList();
        }
    }

    private boolean isPromised(Held held, Inventory.TierKind tier) {
        return snapshots
                .find(held.snapshot())
                .flatMap(snapshot -> promises.whyNeeded(snapshot, Store.ownOf(held.node(), tier)))
                .isPresent();
    }

    private static Site pinned(Site site, Set<Held> held) {
        return new Site(
                site.node(),
                site.freeGpus(),
                site.freeBytes(),
                site.budgetBytes(),
                site.copies().stream()
                        .map(copy -> new Site.Copy(
                                copy.snapshot(),
                                copy.bytes(),
                                copy.pinned() || held.contains(new Held(site.node(), copy.snapshot()))))
                        .toList(),
                site.takes());
    }
}
