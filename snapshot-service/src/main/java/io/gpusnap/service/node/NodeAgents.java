package io.gpusnap.service.node;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.security.NodeCaller;
import io.gpusnap.service.security.NodeSessionToken;
import io.gpusnap.service.security.NodeSessions;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** The daemons' side of nodes: registration, sessions, heartbeats. */
@Service
public class NodeAgents implements NodeSessions {
    private static final Logger LOG = LoggerFactory.getLogger(NodeAgents.class);

    private final NodeRepository nodes;
    private final List<InventoryListener> inventories;
    private final List<HeartbeatListener> listeners;
    private final HeldOperations operations;
    // Looked up late: who fences restores elsewhere, and that needs nodes.
    private final ObjectProvider<WorkloadFencing> fencing;
    private final ObjectProvider<ColdPods> coldPods;
    private final ApplicationEventPublisher events;

    NodeAgents(
            NodeRepository nodes,
            List<InventoryListener> inventories,
            List<HeartbeatListener> listeners,
            HeldOperations operations,
            ObjectProvider<WorkloadFencing> fencing,
            ObjectProvider<ColdPods> coldPods,
            ApplicationEventPublisher events) {
        this.nodes = nodes;
        this.inventories = inventories;
        this.listeners = listeners;
        this.operations = operations;
        this.fencing = fencing;
        this.coldPods = coldPods;
        this.events = events;
    }

    /** What a heartbeat brings back. */
    public record Reply(
            Instant serverTime, HeldOperations.Verdict verdict, List<WorkloadReport> toEnd, List<UUID> coldPods) {}

    /**
     * The same name is the same node; its session before this one is over. The inventory counts as one of a heartbeat does:
     * the next decision knows which stores the node reaches.
     */
    @Transactional
    public NodeSessionToken register(String name, UUID instance, String agentVersion, Inventory inventory) {
        String secret = NodeSessionToken.newSecret();
        NodeRepository.Session session =
                nodes.register(NodeId.next(), name, instance, agentVersion, inventory, NodeSessionToken.digest(secret));
        LOG.info("node {} registered as {}, epoch {}, daemon {}", name, session.id(), session.epoch(), agentVersion);
        events.publishEvent(new NodeStateChanged(session.id(), name, NodeState.ONLINE));
        inventories.forEach(listener -> listener.told(session.id(), inventory));
        return new NodeSessionToken(session.id(), session.epoch(), secret);
    }

    /**
     * Keeps what the node says of itself and hands it on to the features that listen.
     *
     * @throws ApiException STALE_SESSION if the node registered again since the request was let in
     */
    @Transactional
    public Reply heartbeat(NodeCaller caller, Heartbeat heartbeat) {
        NodeRepository.Beat beat = nodes.beat(caller.nodeId(), caller.epoch(), heartbeat.inventory())
                .orElseThrow(() -> stale(caller.epoch()));
        if (beat.before() != NodeState.ONLINE) {
            LOG.info("node {} is heard again", beat.name());
            events.publishEvent(new NodeStateChanged(caller.nodeId(), beat.name(), NodeState.ONLINE));
        }
        // Operations before what belongs to them, as a completion locks them; the other way round the two deadlock.
        HeldOperations.Verdict verdict = operations.review(caller.nodeId(), heartbeat.runningOperations());
        inventories.forEach(listener -> listener.told(caller.nodeId(), heartbeat.inventory()));
        listeners.forEach(listener -> listener.heard(heartbeat));
        List<WorkloadReport> toEnd = fencing.stream()
                .flatMap(one -> one.toEnd(caller.nodeId(), heartbeat.workloads()).stream())
                .toList();
        List<UUID> cold = coldPods.stream()
                .flatMap(one -> one.on(caller.nodeId()).stream())
                .toList();
        return new Reply(beat.serverTime(), verdict, toEnd, cold);
    }

    /**
     * For a call that waited: checks once more that the session is the newest.
     *
     * @throws ApiException STALE_SESSION if the caller's session is over by now
     */
    public void requireCurrent(NodeCaller caller) {
        if (nodes.credentials(caller.nodeId())
                .filter(now -> now.epoch() == caller.epoch())
                .isEmpty()) {
            throw stale(caller.epoch());
        }
    }

    @Override
    public Check check(NodeSessionToken token) {
        Optional<NodeRepository.Credentials> known = nodes.credentials(token.nodeId());
        if (known.isEmpty() || token.epoch() > known.get().epoch()) {
            return new Unknown();
        }
        if (token.epoch() < known.get().epoch()) {
            return new Stale();
        }
        return MessageDigest.isEqual(known.get().digest(), NodeSessionToken.digest(token.secret()))
                ? new Valid(new NodeCaller(token.nodeId(), token.epoch()))
                : new Unknown();
    }

    private static ApiException stale(long epoch) {
        return new ApiException(ErrorCode.STALE_SESSION, "Epoch " + epoch + " is over.");
    }
}
