package io.gpusnap.node.client;

import java.util.UUID;

/** @param instanceId new at every start of the daemon */
public record Registration(String name, UUID instanceId, String agentVersion, Inventory inventory) {}
