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

    /** Saves, thaws and switches share a GPU's memory and its way to the host: one of them at a time on each. */
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
            case TRANSFER -> task.transfer();
            case EVICT -> task.evict();
            case SWEEP -> task.sweep();
            case SCRUB -> task.scrub();
        };
        return Optional.ofNullable(request)
                .map(it -> new OperationSpec(new OperationId(task.operationId()), task.kind(), it));
    }

    /** @param resources of the node that it works with; where there are none to tell apart, the node's device itself */
    static Set<String> exclusions(OperationSpec spec, Set<String> resources) {
        Set<String> keys = new HashSet<>();
        switch (spec.request()) {
            case Task.Verify verify -> keys.add(snapshot(verify.snapshotId()));
            case Task.Delete delete -> keys.add(snapshot(delete.snapshotId()));
            // Not the snapshot itself: a thaw does not wait for a copy that only reads it.
            case Task.Transfer transfer -> keys.add("copy:" + transfer.snapshotId());
            case Task.Evict evict -> keys.add(snapshot(evict.snapshotId()));
            case Task.Sweep sweep -> keys.add("sweep:" + sweep.tier().name());
            case Task.Scrub scrub -> keys.add("scrub:" + scrub.tier().name());
            case Task.Save save -> {
                keys.addAll(device(resources));
                keys.add(snapshot(save.snapshotId()));
                keys.add(workload(save.workload()));
            }
            case Task.Thaw thaw -> {
                keys.addAll(device(resources));
                keys.add(snapshot(thaw.snapshotId()));
            }
            case Task.Switch to -> {
                keys.addAll(device(resources));
                keys.add(snapshot(to.snapshotId()));
                for (Task.Candidate candidate : to.candidates()) {
                    keys.add(snapshot(candidate.snapshotId()));
                    keys.add(workload(candidate.workload()));
                }
            }
            default -> keys.addAll(device(resources));
        }
        return keys;
    }

    private static Set<String> device(Set<String> resources) {
        return resources.isEmpty() ? Set.of(DEVICE) : resources;
    }

    private static String workload(Task.Process process) {
        return "workload:" + process.pid();
    }

    /** Whether thaws are to end so that it need not wait for them. */
    static boolean preempts(OperationSpec spec) {
        return spec.request() instanceof Task.Switch to && to.preempt();
    }

    private static String snapshot(UUID id) {
        return "snapshot:" + id;
    }
}
