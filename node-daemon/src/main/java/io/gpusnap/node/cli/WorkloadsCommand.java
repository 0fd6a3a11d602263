package io.gpusnap.node.cli;

import io.gpusnap.node.client.Workload;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "workloads", description = "List the processes that can be saved, and why others cannot.")
final class WorkloadsCommand implements Callable<Integer> {

    private final CommandContext context;

    @Option(names = "--json", description = "answer as JSON")
    private boolean json;

    WorkloadsCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws CommandException {
        try (LocalNode node = LocalNode.look(context)) {
            List<Workload> workloads = node.access().workloads();
            if (json) {
                context.printJson(workloads);
            } else if (workloads.isEmpty()) {
                context.print(
                        "no workloads: start one with LD_PRELOAD=libgpusnap-preload.so and GPUSNAP_WORKLOAD=<name>");
            } else {
                workloads.forEach(this::show);
            }
            return ExitCode.OK;
        }
    }

    private void show(Workload workload) {
        context.print(workload.name() + "  pid " + workload.pid() + "  " + workload.state() + "  "
                + Texts.bytes(workload.managedBytes()) + " in " + workload.allocations() + " allocations");
        workload.refusals()
                .forEach(refusal -> context.print("  cannot be saved: " + refusal.code() + " " + refusal.detail()));
    }
}
