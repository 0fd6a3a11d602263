package io.gpusnap.node.cli;

import io.gpusnap.node.agent.Agent;
import io.gpusnap.node.agent.ConnectionState;
import io.gpusnap.node.client.Inventory;
import io.gpusnap.node.metrics.ChunkMeters;
import io.gpusnap.node.metrics.MetricsServer.Page;
import io.gpusnap.node.metrics.NodeGauges;
import io.gpusnap.node.metrics.NodeGauges.Labelled;
import io.gpusnap.node.operation.ProgressSnapshot;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import tools.jackson.databind.json.JsonMapper;

/**
 * What the daemon shows on metrics.listen: {@code /metrics}, {@code /healthz} (the process lives), {@code /readyz} (what an
 * earlier daemon left is cleaned up; a service that is down does not change it), {@code /capabilities} (for doctor).
 */
final class DaemonPages {

    static final String CAPABILITIES = "/capabilities";

    private final Agent agent;
    private final NodeAccess access;
    private final PrometheusMeterRegistry registry;
    private final NodeGauges gauges;
    private final ChunkMeters chunks;
    private final JsonMapper json = JsonMapper.builder().build();

    DaemonPages(Agent agent, NodeAccess access, PrometheusMeterRegistry registry) {
        this.agent = agent;
        this.access = access;
        this.registry = registry;
        this.gauges = new NodeGauges(registry, this::reading);
        this.chunks = new ChunkMeters(registry, () -> chunkReading(access));
    }

    Map<String, Supplier<Page>> pages() {
        return Map.of(
                "/metrics",
                this::metrics,
                "/healthz",
                () -> Page.text(200, "ok\n"),
                "/readyz",
                this::readiness,
                CAPABILITIES,
                () -> Page.json(json.writeValueAsString(access.inventory().capabilities())));
    }

    private Page metrics() {
        gauges.refresh();
        chunks.refresh();
        return Page.prometheus(registry.scrape());
    }

    private static ChunkMeters.Reading chunkReading(NodeAccess access) {
        NodeAccess.PeerReading peers = access.peerReading();
        return new ChunkMeters.Reading(
                access.readBytes(),
                peers.failures(),
                peers.servedBytes(),
                peers.refusedTokens(),
                access.orphans(),
                access.quarantine());
    }

    private Page readiness() {
        return agent.recovered()
                ? Page.text(200, "ready, service " + agent.connection().name().toLowerCase(Locale.ROOT) + "\n")
                : Page.text(503, "finishing or undoing what an earlier daemon left\n");
    }

    private NodeGauges.Reading reading() {
        Inventory inventory = access.inventory();
        List<Agent.Work> work = agent.atWork();
        return new NodeGauges.Reading(
                tiers(inventory, Inventory.Tier::capacityBytes),
                tiers(inventory, Inventory.Tier::freeBytes),
                tiers(inventory, Inventory.Tier::usedBytes),
                tiers(inventory, tier -> tier.health().equals("HEALTHY") ? 1L : 0L),
                access.quarantinedChunks().entrySet().stream()
                        .map(tier -> new Labelled(tier.getKey().toLowerCase(Locale.ROOT), tier.getValue()))
                        .toList(),
                inventory.gpus().stream()
                        .map(gpu -> new Labelled(String.valueOf(gpu.ordinal()), gpu.freeBytes()))
                        .toList(),
                byKind(work, ProgressSnapshot::doneBytes),
                byKind(work, ProgressSnapshot::totalBytes),
                inventory.snapshots() == null ? 0 : inventory.snapshots().size(),
                agent.heldOperations(),
                agent.connection() == ConnectionState.CONNECTED,
                agent.clockDifference().toMillis() / 1000.0);
    }

    private static List<Labelled> tiers(Inventory inventory, Function<Inventory.Tier, Long> value) {
        return inventory.tiers().stream()
                .map(tier -> new Labelled(tier.kind().toLowerCase(Locale.ROOT), value.apply(tier)))
                .toList();
    }

    private static List<Labelled> byKind(List<Agent.Work> work, Function<ProgressSnapshot, Long> value) {
        return work.stream()
                .collect(Collectors.groupingBy(
                        one -> one.kind().name().toLowerCase(Locale.ROOT),
                        Collectors.summingLong(one -> value.apply(one.progress()))))
                .entrySet()
                .stream()
                .map(entry -> new Labelled(entry.getKey(), entry.getValue()))
                .toList();
    }
}
