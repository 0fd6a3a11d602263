package io.gpusnap.service.node;

import io.gpusnap.service.platform.id.NodeId;
import java.util.List;
import java.util.UUID;

/** A feature that knows of pods which wait for a thaw that does not come. */
public interface ColdPods {

    /** UIDs of those on the node, for as long as one of their containers may wait. */
    List<UUID> on(NodeId node);
}
