package io.gpusnap.node.inventory;

import io.gpusnap.gpu.DriverInfo;
import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.client.Inventory;
import io.gpusnap.node.engine.Engines;
import io.gpusnap.node.engine.TierKeys;
import io.gpusnap.node.engine.TierState;
import io.gpusnap.node.operation.LogKeys;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.HostFacts;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierKind;
import io.gpusnap.node.tier.TierUsage;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks at the whole node. What cannot be told now is left out, and said in the log when that begins. */
public final class NodeInventory {

    private static final Logger LOG = LoggerFactory.getLogger(NodeInventory.class);
    /** The service takes no longer texts. */
    private static final int LONGEST_REASON = 2000;
    /** Nor more of these. */
    private static final int MOST_RESIDENTS = 10_000;

    private static final int MOST_MOUNTS = 2_000;

    private interface Look<T> {
        T at() throws StageException;
    }

    private final Engines engines;
    private final MachineFacts machine;
    private volatile String lastProblem = "";

    public NodeInventory(Engines engines) {
        this.engines = engines;
        this.machine = MachineFacts.read();
    }

    public Inventory read() {
        HostFacts host = engines.host();
        Optional<DriverInfo> driver = look(engines::driver).orElse(Optional.empty());
        boolean simulated = driver.map(DriverInfo::simulated).orElse(false);
        return new Inventory(
                machine.os(),
                host.kernelRelease(),
                host.architecture(),
                host.cpuModel().isEmpty() ? null : host.cpuModel(),
                machine.cpuCores(),
                machine.memoryBytes(),
                look(engines::gpus).orElse(List.of()).stream()
                        .map(gpu -> gpu(gpu, simulated))
                        .toList(),
                driver.map(DriverInfo::cudaVersion).orElse(null),
                driver.map(DriverInfo::build).orElse(null),
                engines.criuVersion().map(Object::toString).orElse(null),
                tiers(false),
                capabilities(),
                snapshots(),
                host.cpuFeatures(),
                engines.fanOut()
                        .endpoint()
                        .map(it -> new Inventory.PeerEndpoint(it.address(), it.certificate(), it.tenant()))
                        .orElse(null),
                mounts(),
                access());
    }

    private Inventory.Access access() {
        TierKeys.Access known = engines.access();
        return new Inventory.Access(
                known.opens(), known.keyIds(), known.signsAs().orElse(null), known.trusts());
    }

    private @Nullable List<String> mounts() {
        List<String> all = engines.mountPoints();
        return all.size() <= MOST_MOUNTS ? all : null;
    }

    /** @param now shared ones are looked at now, however long that takes */
    public List<Inventory.Tier> tiers(boolean now) {
        return look(() -> engines.tierStates(now)).orElse(List.of()).stream()
                .map(this::tier)
                .toList();
    }

    /** Where much of a snapshot is in memory already it comes back fastest. */
    private @Nullable List<Inventory.Resident> residents(TierUsage usage) {
        return usage.kind() == TierKind.MEMORY
                ? look(engines::residents)
                        .map(all -> all.stream()
                                .limit(MOST_RESIDENTS)
                                .map(one ->
                                        new Inventory.Resident(one.snapshot().value(), one.bytes(), one.totalBytes()))
                                .toList())
                        .orElse(null)
                : null;
    }

    private Inventory.Tier tier(TierState tier) {
        TierUsage usage = tier.usage();
        boolean bounded = usage.capacityBytes() < TierUsage.UNBOUNDED_BYTES;
        return new Inventory.Tier(
                usage.kind().name(),
                usage.location(),
                bounded ? usage.capacityBytes() : 0,
                bounded ? usage.freeBytes() : 0,
                usage.usedBytes(),
                tier.name(),
                tier.storeId().orElse(null),
                tier.trouble().isEmpty() ? "HEALTHY" : "UNHEALTHY",
                tier.trouble().map(NodeInventory::cut).orElse(null),
                residents(usage));
    }

    public List<Inventory.Capability> capabilities() {
        return engines.capabilities().stream()
                .map(one -> new Inventory.Capability(one.name(), one.available(), cut(one.reason())))
                .toList();
    }

    /** Null, not empty, when the store cannot be listed: the service must not take its snapshots for gone. */
    private @Nullable List<UUID> snapshots() {
        return look(engines::snapshots)
                .map(ids -> ids.stream().map(SnapshotId::value).toList())
                .orElse(null);
    }

    private <T> Optional<T> look(Look<T> look) {
        try {
            return Optional.of(look.at());
        } catch (StageException e) {
            if (!e.detail().equals(lastProblem)) {
                lastProblem = e.detail();
                LOG.atWarn()
                        .addKeyValue(LogKeys.CODE, e.code())
                        .addKeyValue(LogKeys.REASON, e.detail())
                        .log("a part of the inventory cannot be told");
            }
            return Optional.empty();
        }
    }

    private static Inventory.Gpu gpu(GpuInfo device, boolean simulated) {
        return new Inventory.Gpu(
                device.ordinal(),
                device.uuid(),
                device.name(),
                device.memoryBytes(),
                device.freeBytes(),
                device.migEnabled(),
                simulated,
                device.computeCapability());
    }

    private static String cut(String reason) {
        return reason.length() <= LONGEST_REASON ? reason : reason.substring(0, LONGEST_REASON - 1) + "…";
    }
}
