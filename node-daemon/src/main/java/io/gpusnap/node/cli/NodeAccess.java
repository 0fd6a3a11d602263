package io.gpusnap.node.cli;

import io.gpusnap.node.agent.NodeWork;
import io.gpusnap.node.client.Task;
import io.gpusnap.node.operation.OperationId;
import java.util.Collection;
import java.util.Optional;
import java.util.UUID;

/** This node's engines and store, opened. */
public interface NodeAccess extends NodeWork, AutoCloseable {

    /** Empty when there is no such process. */
    Optional<Task.Process> process(int pid);

    /** @throws CommandException SNAPSHOT_NOT_FOUND, or what is wrong with its manifest */
    Inspection inspect(UUID snapshot) throws CommandException;

    /**
     * Frees what operations that nobody remembers have left behind.
     *
     * @param remembered those that the journal has not seen end
     */
    void forgetAllBut(Collection<OperationId> remembered) throws CommandException;

    @Override
    void close();
}
