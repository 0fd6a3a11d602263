package io.gpusnap.node.cli;

import io.gpusnap.node.agent.NodeWork;
import io.gpusnap.node.client.Inventory;
import io.gpusnap.node.client.Task;
import io.gpusnap.node.engine.KeyChains;
import io.gpusnap.node.metrics.ChunkMeters;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.peer.PeerDirectory;
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

    /** Bytes of chunks that operations have read in this daemon's life, by the tier that had them. */
    Map<String, Long> readBytes();

    /** What came of dealing with other nodes. */
    PeerReading peerReading();

    /**
     * @param failures of peers that were asked, by reason
     * @param servedBytes to others
     * @param refusedTokens of others
     */
    record PeerReading(Map<String, Long> failures, long servedBytes, long refusedTokens) {}

    /** What came of looking for chunks of the node's own store that nothing names. */
    ChunkMeters.Orphans orphans();

    /** What came of keeping damaged chunks of the node's own store. */
    ChunkMeters.Quarantine quarantine();

    /** Operations are shared with those that it knows from now on. */
    void know(PeerDirectory directory);

    /**
     * Tries tiers out.
     *
     * @param name of the only one; null for the node's own store and every shared one
     * @return empty when there is no such tier
     */
    List<TierCheck> validateTiers(@Nullable String name);

    /** The data keys of tiers that are encrypted. */
    KeyChains keys() throws StageException;

    /**
     * Frees what operations that nobody remembers have left behind.
     *
     * @param remembered those that the journal has not seen end
     */
    void forgetAllBut(Collection<OperationId> remembered) throws CommandException;

    @Override
    void close();
}
