package io.gpusnap.service.restore.gate;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.platform.id.NodeId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the caller says of the place.
 *
 * @param nodeIds only these; absent for any
 * @param excludeNodeIds none of these
 * @param image the container image, with digest, that the process is to come back in; absent for whatever its version says
 * @param mounts mount points that are there; absent when the caller does not know
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Constraints(
        @Nullable List<NodeId> nodeIds,
        @Nullable List<NodeId> excludeNodeIds,
        @Nullable String image,
        @Nullable List<String> mounts) {
    public static final Constraints NONE = new Constraints(null, null, null, null);

    /** Not on that node; where it was to be on that one only, anywhere else. */
    public Constraints butNot(NodeId node) {
        List<NodeId> not = new ArrayList<>(excludeNodeIds == null ? List.of() : excludeNodeIds);
        not.add(node);
        return new Constraints(
                nodeIds == null || nodeIds.equals(List.of(node)) ? null : nodeIds, List.copyOf(not), image, mounts);
    }

    /** In this image, where the caller names no other. */
    public Constraints inImage(@Nullable String otherwise) {
        return image == null ? new Constraints(nodeIds, excludeNodeIds, otherwise, mounts) : this;
    }

    /** Only this node. */
    public static Constraints on(NodeId node) {
        return among(List.of(node));
    }

    /** Only these nodes. */
    public static Constraints among(List<NodeId> nodes) {
        return new Constraints(nodes, null, null, null);
    }
}
