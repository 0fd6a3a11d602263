package io.gpusnap.service.node;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.web.IfMatch;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Nodes as callers and other features see them. */
@Service
public class Nodes {
    private final NodeRepository nodes;

    Nodes(NodeRepository nodes) {
        this.nodes = nodes;
    }

    /**
     * Reads a node.
     *
     * @throws ApiException NODE_NOT_FOUND
     */
    public Node get(NodeId id) {
        return find(id).orElseThrow(() -> new ApiException(ErrorCode.NODE_NOT_FOUND, "No node has the id " + id + "."));
    }

    public Optional<Node> find(NodeId id) {
        return nodes.find(id);
    }

    /** The node of that name, if one is registered. */
    public Optional<Node> named(String name) {
        return nodes.named(name);
    }

    /** Nodes by id, each without the list of what it stores, which can be long. Unknown ids are not in it. */
    public Map<NodeId, Node> find(Collection<NodeId> ids) {
        return nodes.find(ids).stream().collect(Collectors.toMap(Node::id, node -> node));
    }

    /**
     * For work that may wait for the node to come back.
     *
     * @throws ApiException NODE_LOST if that is not to be expected
     */
    public void requireNotLost(NodeId id) {
        Node node = get(id);
        if (node.state() == NodeState.LOST) {
            throw new ApiException(
                    ErrorCode.NODE_LOST, "Node " + node.name() + " was last heard at " + node.lastHeartbeatAt() + ".");
        }
    }

    /** Newest first. */
    public Page<Node> list(PageQuery query) {
        return Page.of(query, nodes.list(query), node -> node.id().toString());
    }

    /** Cordons a node or opens it again. What it works on goes on. */
    @Transactional
    public Node setSchedulable(NodeId id, boolean schedulable, IfMatch ifMatch) {
        Node node = get(id);
        ifMatch.check(node.version());
        if (!nodes.setSchedulable(id, schedulable, node.version())) {
            throw new ApiException(ErrorCode.PRECONDITION_FAILED, "Node " + node.name() + " was changed meanwhile.");
        }
        return get(id);
    }
}
