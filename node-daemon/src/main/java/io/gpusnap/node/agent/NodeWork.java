package io.gpusnap.node.agent;

import io.gpusnap.node.client.Completion;
import io.gpusnap.node.client.Inventory;
import io.gpusnap.node.client.Session;
import io.gpusnap.node.client.Workload;
import io.gpusnap.node.operation.OperationLog;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.PlanFactory;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What this node has and can do. Specs carry the records of {@link io.gpusnap.node.client.Task} as requests. */
public interface NodeWork extends PlanFactory {

    Inventory inventory();

    /** What of the node an operation works with, such as GPUs: of two that share any only one runs at a time. */
    Set<String> resources(OperationSpec spec);

    /** All that any operation could work with. */
    Set<String> allResources();

    List<Workload> workloads();

    /** Ends a workload that is elsewhere by now; what is no workload, or not this very process, is left alone. */
    void end(int pid, long startTimeTicks);

    /** Has containers of these pods that still wait for a thaw start their own command: none comes. Others are left alone. */
    void startCold(List<String> podUids);

    /** The service knows this node by this session from now on. */
    default void registered(Session session) {}

    /** Whatever an earlier daemon left has ended; nothing new has begun. */
    default void recovered() {}

    /** By the service's clock, just now. */
    default void serviceTime(Instant now) {}

    /** What an ended operation leaves for the service, from its remembered facts. */
    Result result(OperationLog log);

    /**
     * @param saved present when a save succeeded
     * @param thawed present when a thaw succeeded, or a switch as far as that its process serves
     * @param damaged copies that were found wrong on the way
     * @param tier present when work on a tier succeeded
     * @param suspended present when a switch did; those who are frozen in a snapshot that exists
     */
    record Result(
            Completion.@Nullable Saved saved,
            Completion.@Nullable Thawed thawed,
            @Nullable List<Completion.Suspended> suspended,
            boolean workloadLost,
            Completion.@Nullable TierResult tier,
            List<Completion.DamagedCopy> damaged) {

        /** Of work with processes. */
        public Result(
                Completion.@Nullable Saved saved,
                Completion.@Nullable Thawed thawed,
                @Nullable List<Completion.Suspended> suspended,
                boolean workloadLost) {
            this(saved, thawed, suspended, workloadLost, null, List.of());
        }

        /** Of anything but a switch. */
        public Result(Completion.@Nullable Saved saved, Completion.@Nullable Thawed thawed, boolean workloadLost) {
            this(saved, thawed, null, workloadLost);
        }
    }
}
