package io.gpusnap.service.forecast.backtest;

import io.gpusnap.service.forecast.Forecaster;
import io.gpusnap.service.forecast.Series;
import io.gpusnap.service.forecast.prefetch.Need;
import io.gpusnap.service.forecast.prefetch.Plan;
import io.gpusnap.service.forecast.prefetch.PrefetchPlanner;
import io.gpusnap.service.forecast.prefetch.PrefetchRules;
import io.gpusnap.service.forecast.prefetch.Site;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;

/** The service's forecaster, and the planner. */
final class Prefetch implements Policy {
    private final Trace trace;
    private final Forecaster forecaster;
    private final PrefetchRules rules;
    private final PrefetchPlanner planner;
    private final List<Series> series;
    private Map<NodeId, Map<SnapshotId, Double>> worth = Map.of();

    Prefetch(Trace trace, Forecaster forecaster, PrefetchRules rules) {
        this.trace = trace;
        this.forecaster = forecaster;
        this.rules = rules;
        planner = new PrefetchPlanner(rules);
        series = trace.models().stream()
                .map(model -> new Series(
                        Instant.EPOCH.plus(trace.step().multipliedBy(model.replicas().length)),
                        trace.step(),
                        IntStream.of(model.replicas()).asDoubleStream().toArray()))
                .toList();
    }

    @Override
    public String name() {
        return "prefetch, " + forecaster.name();
    }

    @Override
    public boolean keepsWhatCameIn() {
        return true;
    }

    @Override
    public void between(int step, FastTiers tiers) {
        Plan plan = planner.plan(needs(step), sites(tiers));
        worth = plan.worth();
        plan.evictions().forEach(eviction -> tiers.giveUp(index(eviction.node()), index(eviction.snapshot())));
        plan.moves().forEach(move -> tiers.prefetch(index(move.node()), index(move.snapshot()), step));
    }

    private List<Need> needs(int step) {
        List<Need> needs = new ArrayList<>();
        for (int i = 0; i < series.size(); i++) {
            Trace.Model model = trace.models().get(i);
            needs.add(new Need(
                    model.name(),
                    snapshot(i),
                    model.bytes(),
                    model.replicas()[step],
                    forecaster.forecast(series.get(i).until(step + 1), rules.keepSteps()),
                    model.bytes()));
        }
        return needs;
    }

    private List<Site> sites(FastTiers tiers) {
        List<Site> sites = new ArrayList<>();
        long budget = tiers.fleet().bytesPerSecond() * trace.step().toSeconds();
        for (int node = 0; node < tiers.fleet().nodes(); node++) {
            sites.add(new Site(
                    new NodeId(new UUID(0, node)),
                    tiers.freeSlots(node),
                    tiers.freeBytes(node),
                    budget,
                    tiers.copies(node).stream()
                            .map(copy -> new Site.Copy(snapshot(copy.model), copy.bytes, false))
                            .toList()));
        }
        return sites;
    }

    @Override
    public FastTiers.Copy victim(int node, FastTiers tiers) {
        Map<SnapshotId, Double> here = worth.getOrDefault(new NodeId(new UUID(0, node)), Map.of());
        return tiers.copies(node).stream()
                .min(Comparator.comparingDouble(copy -> here.getOrDefault(snapshot(copy.model), 0.0)))
                .orElseThrow();
    }

    private static SnapshotId snapshot(int model) {
        return new SnapshotId(new UUID(0, model));
    }

    private static int index(SnapshotId snapshot) {
        return (int) snapshot.value().getLeastSignificantBits();
    }

    private static int index(NodeId node) {
        return (int) node.value().getLeastSignificantBits();
    }
}
