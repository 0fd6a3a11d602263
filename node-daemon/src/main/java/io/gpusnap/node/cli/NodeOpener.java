package io.gpusnap.node.cli;

import io.gpusnap.node.config.NodeSettings;
import io.gpusnap.node.operation.FactRegistry;

/** Opens the node: the seam at which tests put a node of their own. */
public interface NodeOpener {

    /** Requests and facts that the node's stages remember. */
    FactRegistry facts();

    /** @throws CommandException when engines or store cannot be opened */
    NodeAccess open(NodeSettings settings) throws CommandException;

    /**
     * Opens the node to be told about only: the memory of the pool is neither taken nor given back.
     *
     * @throws CommandException when engines or store cannot be opened
     */
    NodeAccess look(NodeSettings settings) throws CommandException;
}
