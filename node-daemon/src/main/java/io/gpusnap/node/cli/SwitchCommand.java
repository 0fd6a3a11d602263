package io.gpusnap.node.cli;

import io.gpusnap.node.agent.NodeWork;
import io.gpusnap.node.client.Completion;
import io.gpusnap.node.client.Task;
import io.gpusnap.node.client.Workload;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.OperationSpec;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "switch", description = "Resume a suspended workload, and suspend others to make room for it.")
final class SwitchCommand implements Callable<Integer> {

    private final CommandContext context;

    @Parameters(paramLabel = "SNAPSHOT", description = "what the workload is suspended as")
    private String snapshot = "";

    @Option(names = "--from", description = "workload that may have to make room; default: all that run, in this order")
    private @Nullable List<String> from;

    @Option(names = "--suspend-others", description = "they make room even where it is not needed")
    private boolean suspendOthers;

    @Option(names = "--json", description = "answer as JSON")
    private boolean json;

    SwitchCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws CommandException {
        UUID id = CommandContext.snapshotId(snapshot);
        try (LocalNode node = LocalNode.open(context)) {
            Inspection known = node.access().inspect(id);
            List<Workload> running = candidates(node.access().workloads());
            Map<UUID, String> names = new HashMap<>();
            List<Task.Candidate> candidates = running.stream()
                    .map(workload -> {
                        UUID frozenAs = UUID.randomUUID();
                        names.put(frozenAs, workload.name());
                        return new Task.Candidate(
                                frozenAs,
                                new Task.Process(workload.pid(), workload.startTimeTicks(), workload.name()),
                                null);
                    })
                    .toList();
            Task.Switch request = new Task.Switch(
                    id,
                    known.manifestDigest(),
                    null,
                    suspendOthers ? "SUSPEND_OTHERS" : "EVICT_IF_NEEDED",
                    candidates,
                    false);
            show(
                    ManualRun.run(
                            context, node, new OperationSpec(OperationId.random(), OperationKind.SWITCH, request)),
                    names);
            return ExitCode.OK;
        }
    }

    private List<Workload> candidates(List<Workload> all) throws CommandException {
        List<Workload> running = all.stream()
                .filter(workload -> workload.state().equals("RUNNING"))
                .toList();
        if (from == null) {
            return running;
        }
        for (String name : from) {
            if (running.stream().noneMatch(workload -> workload.name().equals(name))) {
                FailureCode code = FailureCode.WORKLOAD_NOT_FOUND;
                throw new CommandException(
                        ExitCode.FAILED, code.name(), "no running workload is named " + name, Mends.of(code));
            }
        }
        List<String> wanted = from;
        return running.stream()
                .filter(workload -> wanted.contains(workload.name()))
                .toList();
    }

    private void show(NodeWork.Result result, Map<UUID, String> names) {
        Completion.Thawed thawed = Objects.requireNonNull(result.thawed(), "a switch that succeeded has an outcome");
        List<Completion.Suspended> suspended =
                Objects.requireNonNull(result.suspended(), "a switch that succeeded says who made room");
        if (json) {
            context.printJson(Map.of("resumed", thawed, "suspended", suspended));
            return;
        }
        context.print("workload " + thawed.workloadName() + " runs as pid " + thawed.pid() + " after "
                + Texts.seconds(thawed.seconds()));
        for (Completion.Suspended one : suspended) {
            context.print(
                    "  suspended " + names.getOrDefault(one.snapshotId(), "a workload") + " as " + one.snapshotId());
        }
    }
}
