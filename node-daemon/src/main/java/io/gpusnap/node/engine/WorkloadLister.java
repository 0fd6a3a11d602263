package io.gpusnap.node.engine;

import io.gpusnap.gpu.TargetState;
import io.gpusnap.gpu.TargetStatus;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.SocketOwners;
import io.gpusnap.node.process.TcpListener;
import io.gpusnap.node.process.Workload;
import io.gpusnap.node.store.SnapshotId;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Describes the workloads of this node. */
final class WorkloadLister {

    private final NodeRuntime runtime;

    WorkloadLister(NodeRuntime runtime) {
        this.runtime = runtime;
    }

    List<WorkloadInfo> list() {
        Map<ProcessId, WorkloadInfo.State> busy = runtime.busy().all();
        List<SuspendedTree> rootless = runtime.leftBehind().all();
        return runtime.workloads().find().stream()
                .map(workload -> {
                    WorkloadInfo.State state = busy.get(workload.process());
                    return state == null ? look(workload, rootless) : whileBusy(workload, state);
                })
                .toList();
    }

    private WorkloadInfo look(Workload workload, List<SuspendedTree> rootless) {
        Inspection inspection = new Inspector(runtime).inspect(workload, EngineId.CRIU_CUDA);
        List<WorkloadInfo.Refusal> refusals = Stream.concat(
                        LeftBehind.refusal(rootless, workload.process()).stream(),
                        inspection.refusals().stream()
                                .map(refusal -> new WorkloadInfo.Refusal(refusal.code(), refusal.detail())))
                .toList();
        Optional<TargetStatus> status = inspection.status();
        return describe(
                workload,
                status.map(found -> state(found.state())).orElse(WorkloadInfo.State.UNKNOWN),
                status.map(TargetStatus::managedBytes).orElse(0L),
                status.map(TargetStatus::allocationCount).orElse(0L),
                refusals);
    }

    private WorkloadInfo whileBusy(Workload workload, WorkloadInfo.State state) {
        return describe(
                workload,
                state,
                0,
                0,
                List.of(new WorkloadInfo.Refusal(
                        FailureCode.WORKLOAD_UNSUPPORTED, "an operation is working on " + workload.process())));
    }

    private WorkloadInfo describe(
            Workload workload,
            WorkloadInfo.State state,
            long managedBytes,
            long allocations,
            List<WorkloadInfo.Refusal> refusals) {
        List<Integer> ports = new SocketOwners(runtime.proc())
                .listenersOf(runtime.tree().of(workload.process())).stream()
                        .map(TcpListener::port)
                        .distinct()
                        .toList();
        return new WorkloadInfo(
                workload.process(),
                workload.name(),
                workload.executable(),
                String.join(" ", workload.commandLine()),
                state,
                managedBytes,
                allocations,
                ports,
                suspendedAs(workload.process()),
                refusals);
    }

    private Optional<SnapshotId> suspendedAs(ProcessId process) {
        try {
            return runtime.suspended().snapshotOf(process);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static WorkloadInfo.State state(TargetState state) {
        return switch (state) {
            case RUNNING -> WorkloadInfo.State.RUNNING;
            case QUIESCED -> WorkloadInfo.State.QUIESCED;
            case RELEASED, REMAPPED -> WorkloadInfo.State.SUSPENDED;
        };
    }
}
