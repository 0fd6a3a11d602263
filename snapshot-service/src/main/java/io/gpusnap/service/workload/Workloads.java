package io.gpusnap.service.workload;

import io.gpusnap.service.node.Heartbeat;
import io.gpusnap.service.node.HeartbeatListener;
import io.gpusnap.service.node.NodeSettings;
import io.gpusnap.service.node.NodeState;
import io.gpusnap.service.node.NodeStateChanged;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.context.event.EventListener;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Processes that can be frozen. Heartbeats write them; an operation's end corrects them until the next heartbeat. */
@Service
public class Workloads implements HeartbeatListener {
    private final WorkloadRepository workloads;
    private final NodeSettings settings;

    Workloads(WorkloadRepository workloads, NodeSettings settings) {
        this.workloads = workloads;
        this.settings = settings;
    }

    /**
     * Reads a workload.
     *
     * @throws ApiException WORKLOAD_NOT_FOUND
     */
    public Workload get(WorkloadId id) {
        return find(id).orElseThrow(
                        () -> new ApiException(ErrorCode.WORKLOAD_NOT_FOUND, "No workload has the id " + id + "."));
    }

    public Optional<Workload> find(WorkloadId id) {
        return workloads.find(id);
    }

    /** Newest first; a filter that is null filters nothing. */
    public Page<Workload> list(
            @Nullable NodeId node, @Nullable String name, @Nullable WorkloadState state, PageQuery query) {
        return Page.of(
                query,
                workloads.list(node, name, state, query),
                workload -> workload.id().toString());
    }

    /** The process ended, or is taken to have ended. */
    public void markGone(WorkloadId id) {
        workloads.setState(id, WorkloadState.GONE, null);
    }

    /** The process stands still and can be resumed from the snapshot. */
    public void markSuspended(WorkloadId id, SnapshotId snapshot) {
        workloads.setState(id, WorkloadState.SUSPENDED, snapshot);
    }

    /** A process came back on a node; its first heartbeat will say the rest. */
    public WorkloadId appeared(NodeId node, int pid, long startTimeTicks, String name) {
        return workloads.putRunning(node, pid, startTimeTicks, name);
    }

    @Override
    public void heard(Heartbeat heartbeat) {
        workloads.replace(heartbeat.nodeId(), heartbeat.workloads());
    }

    @EventListener
    void nodeChanged(NodeStateChanged change) {
        switch (change.state()) {
            case NodeState.ONLINE -> {
                // the heartbeat that made it so brings the workloads along
            }
            case NodeState.SILENT -> workloads.setStateOfNode(change.nodeId(), WorkloadState.UNKNOWN);
            case NodeState.LOST -> workloads.setStateOfNode(change.nodeId(), WorkloadState.LOST);
        }
    }

    @Scheduled(fixedDelayString = "PT10M", initialDelayString = "PT1M")
    @Transactional
    void forgetEnded() {
        workloads.forget(settings.forgetWorkloadsAfter());
    }
}
