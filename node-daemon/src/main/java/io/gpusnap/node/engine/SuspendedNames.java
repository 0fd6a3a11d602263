package io.gpusnap.node.engine;

import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import java.util.List;
import java.util.Optional;

/**
 * Who waits with a suspended process, and where and when these ids are theirs.
 *
 * @param boot of the machine; empty where nobody could tell
 * @param namespace in which the ids count; empty where nobody could tell, and before decision 0460
 */
record SuspendedNames(Optional<String> boot, Optional<String> namespace, List<ProcessId> processes) {

    SuspendedNames {
        processes = List.copyOf(processes);
    }

    /** Start times count from the start of the machine: those of another one may be anybody's. */
    boolean isOfAnotherBoot(ProcFs proc) {
        Optional<String> now = proc.bootId();
        return now.isPresent() && boot.isPresent() && !now.equals(boot);
    }

    /** Whether it is certain that the first of them has ended: only in its own namespace can anybody see that. */
    boolean isEnded(ProcessId first, ProcFs proc) {
        return isOfAnotherBoot(proc)
                || namespace.isPresent() && namespace.equals(proc.pidNamespace()) && proc.hasEnded(first);
    }
}
