package io.gpusnap.node.inventory;

import io.gpusnap.node.client.Workload;
import io.gpusnap.node.engine.WorkloadInfo;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.store.SnapshotId;
import java.util.List;

/** Workloads as the service takes them: within its limits on lengths. */
public final class WorkloadReports {

    private static final int MOST_ARGUMENTS = 1000;
    private static final int LONGEST_ARGUMENT = 32_768;
    private static final int LONGEST_PATH = 4096;
    private static final int LONGEST_DETAIL = 2000;

    private final ProcFs proc = new ProcFs();

    public Workload of(WorkloadInfo info) {
        int pid = info.process().pid();
        return new Workload(
                pid,
                info.process().startTimeTicks(),
                info.name(),
                info.executable().isEmpty() ? null : cut(info.executable(), LONGEST_PATH),
                arguments(proc.commandLine(pid)),
                info.state().name(),
                info.managedBytes(),
                info.allocations(),
                info.listeningPorts(),
                info.suspendedAs().map(SnapshotId::value).orElse(null),
                info.refusals().stream()
                        .map(refusal ->
                                new Workload.Refusal(refusal.code().name(), cut(refusal.detail(), LONGEST_DETAIL)))
                        .toList());
    }

    private static List<String> arguments(List<String> all) {
        return all.stream()
                .limit(MOST_ARGUMENTS)
                .map(argument -> cut(argument, LONGEST_ARGUMENT))
                .toList();
    }

    private static String cut(String text, int longest) {
        return text.length() <= longest ? text : text.substring(0, longest - 1) + "…";
    }
}
