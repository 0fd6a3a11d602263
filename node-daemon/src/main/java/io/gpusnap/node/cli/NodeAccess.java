package io.gpusnap.node.cli;

import io.gpusnap.node.agent.NodeWork;
import io.gpusnap.node.client.Inventory;
import io.gpusnap.node.client.Task;
import io.gpusnap.node.operation.OperationId;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** This node's engines and store, opened. */
public interface NodeAccess extends NodeWork, AutoCloseable {

    /** Empty when there is no such process. */
    Optional<Task.Process> process(int pid);

    /** @throws CommandException SNAPSHOT_NOT_FOUND, or what is wrong with its manifest */
    Inspection inspect(UUID snapshot) throws CommandException;

    /** Every tier, looked at now. */
    List<Inventory.Tier> tiers();

    /** Chunks that were found wrong in this daemon's life, by the tier's kind. */
    Map<String, Long> quarantinedChunks();

    /**
     * Tries tiers out.
     *
     * @param name of the only one; null for the node's own store and every shared one
     * @return empty when there is no such tier
     */
    List<TierCheck> validateTiers(@Nullable String name);

    /**
     * Frees what operations that nobody remembers have left behind.
     *
     * @param remembered those that the journal has not seen end
     */
    void forgetAllBut(Collection<OperationId> remembered) throws CommandException;

    @Override
    void close();
}
