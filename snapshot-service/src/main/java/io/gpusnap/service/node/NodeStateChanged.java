package io.gpusnap.service.node;

import io.gpusnap.service.platform.id.NodeId;

/** A node went silent, was lost, or is heard again. Published in the transaction that records it. */
public record NodeStateChanged(NodeId nodeId, String name, NodeState state) {}
