package io.gpusnap.node.config;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * All settings, validated. Paths are absolute.
 *
 * @param service empty when neither address nor token is set: work by hand needs none
 * @param poolBytes a multiple of 4 MiB, at least 16 MiB
 * @param metricsListen empty when switched off
 * @param warnings what a person should look at although it does not stop the start
 */
public record NodeSettings(
        Optional<ServiceSettings> service,
        String nodeName,
        Path stateDir,
        Path nvmeRoot,
        long nvmeReserveBytes,
        Duration nvmeSweepPeriod,
        Duration quarantineAge,
        long quarantineBytes,
        Path poolPath,
        long poolBytes,
        Path scratchDir,
        boolean scratchHugePages,
        Optional<Path> criu,
        Path nativeDir,
        Optional<Path> cudaDriver,
        Duration driverCallLimit,
        Optional<InetSocketAddress> metricsListen,
        int transferThreads,
        RebuildableSettings rebuildable,
        StorageSettings storage,
        ThawSettings thaw,
        TierSettings tiers,
        int parallelOperations,
        Duration stopGrace,
        List<String> warnings) {

    public NodeSettings {
        warnings = List.copyOf(warnings);
    }
}
