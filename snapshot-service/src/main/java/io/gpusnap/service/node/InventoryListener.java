package io.gpusnap.service.node;

import io.gpusnap.service.platform.id.NodeId;

/**
 * A feature that keeps a part of an inventory in tables of its own. Called in the transaction that records the inventory, of a
 * registration as of a heartbeat: whoever reads the one reads the other as well.
 */
public interface InventoryListener {
    void told(NodeId node, Inventory inventory);
}
