package io.gpusnap.node.agent;

import io.gpusnap.node.client.Task;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationSpec;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** From tasks to specs, and what a spec needs for itself while it runs. */
final class Requests {

    /** Saves, thaws and switches share the GPUs, the pinned pool and PCIe: one of them at a time. */
    private static final String DEVICE = "device";

    private Requests() {}

    /** Empty when the member named like the kind is missing. */
    static Optional<OperationSpec> spec(Task task) {
        @Nullable
        Record request = switch (task.kind()) {
            case SAVE -> task.save();
            case THAW -> task.thaw();
            case SWITCH -> task.switchTo();
            case VERIFY -> task.verify();
            case DELETE -> task.delete();
        };
        return Optional.ofNullable(request)
                .map(it -> new OperationSpec(new OperationId(task.operationId()), task.kind(), it));
    }

    static Set<String> exclusions(OperationSpec spec) {
        return switch (spec.request()) {
            case Task.Save save ->
                Set.of(
                        DEVICE,
                        snapshot(save.snapshotId()),
                        "workload:" + save.workload().pid());
            case Task.Thaw thaw -> Set.of(DEVICE, snapshot(thaw.snapshotId()));
            case Task.Switch to -> {
                Set<String> keys = new HashSet<>(Set.of(DEVICE, snapshot(to.snapshotId())));
                for (Task.Candidate candidate : to.candidates()) {
                    keys.add(snapshot(candidate.snapshotId()));
                    keys.add("workload:" + candidate.workload().pid());
                }
                yield keys;
            }
            case Task.Verify verify -> Set.of(snapshot(verify.snapshotId()));
            case Task.Delete delete -> Set.of(snapshot(delete.snapshotId()));
            default -> Set.of(DEVICE);
        };
    }

    /** Whether thaws are to end so that it need not wait for them. */
    static boolean preempts(OperationSpec spec) {
        return spec.request() instanceof Task.Switch to && to.preempt();
    }

    private static String snapshot(UUID id) {
        return "snapshot:" + id;
    }
}
