package io.gpusnap.node.cli;

import io.gpusnap.node.config.NodeSettings;
import io.gpusnap.node.config.StorageSettings;
import io.gpusnap.node.engine.AheadPolicy;
import io.gpusnap.node.engine.EngineSettings;
import io.gpusnap.node.engine.Engines;
import io.gpusnap.node.engine.device.RebuildablePolicy;
import io.gpusnap.node.engine.device.StoragePolicy;
import io.gpusnap.node.engine.device.UnsafeFolderException;
import io.gpusnap.node.operation.FactRegistry;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.tier.Quarantine;

/** Opens the node with its real engines. */
public final class EngineOpener implements NodeOpener {

    @Override
    public FactRegistry facts() {
        return Engines.facts();
    }

    private interface Opening {
        Engines of(EngineSettings settings) throws StageException, InterruptedException;
    }

    @Override
    public NodeAccess open(NodeSettings settings) throws CommandException {
        return open(settings, Engines::open);
    }

    @Override
    public NodeAccess look(NodeSettings settings) throws CommandException {
        return open(settings, Engines::look);
    }

    private static StoragePolicy storage(StorageSettings settings) {
        StoragePolicy.Use use = switch (settings.direct()) {
            case AUTO -> StoragePolicy.Use.AUTO;
            case ALWAYS -> StoragePolicy.Use.ALWAYS;
            case NEVER -> StoragePolicy.Use.NEVER;
        };
        return new StoragePolicy(use, settings.cufile());
    }

    private static NodeAccess open(NodeSettings settings, Opening opening) throws CommandException {
        try {
            return new EngineNode(opening.of(new EngineSettings(
                    settings.stateDir(),
                    settings.nvmeRoot(),
                    settings.nvmeReserveBytes(),
                    settings.nvmeSweepPeriod(),
                    new Quarantine.Limits(settings.quarantineAge(), settings.quarantineBytes()),
                    settings.poolPath(),
                    settings.poolBytes(),
                    settings.scratchDir(),
                    settings.scratchHugePages(),
                    settings.criu(),
                    settings.nativeDir(),
                    settings.cudaDriver(),
                    settings.transferThreads(),
                    new RebuildablePolicy(
                            settings.rebuildable()::honours,
                            settings.rebuildable().minBytes()),
                    storage(settings.storage()),
                    SharedTierSettings.of(settings.tiers()),
                    new AheadPolicy(settings.thaw().fillAhead(), settings.thaw().driverAhead()),
                    settings.driverCallLimit())));
        } catch (StageException e) {
            if (e.getCause() instanceof UnsafeFolderException unsafe) {
                throw new CommandException(ExitCode.USAGE, "CONFIGURATION", String.valueOf(unsafe.getMessage()), null);
            }
            throw CommandException.of(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandException(ExitCode.CANCELLED, "CANCELLED", "interrupted while the node was opened", null);
        }
    }
}
