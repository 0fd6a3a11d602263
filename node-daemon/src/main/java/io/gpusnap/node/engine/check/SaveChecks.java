package io.gpusnap.node.engine.check;

import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.gpu.TargetState;
import io.gpusnap.gpu.TargetStatus;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.process.OpenFd;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessStat;
import io.gpusnap.node.process.SocketOwners;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Why a workload cannot be frozen. Looks only. */
public final class SaveChecks {

    private static final String END_IT_BEFORE =
            ": end it in a quiesce callback and begin anew in a resume callback (docs/hints.md)";

    private static final String OUTPUT_INTO_A_FILE =
            ": start the workload with its output in a file and its input from /dev/null";

    /** What /proc shows as the session of a process that was started into this PID namespace without setsid. */
    private static final int LED_FROM_OUTSIDE = 0;

    private final ProcFs proc;

    public SaveChecks(ProcFs proc) {
        this.proc = proc;
    }

    /** How NCCL names the memory that the processes of one communicator share on a host. */
    private static final String NCCL_SEGMENT = "/dev/shm/nccl-";

    /** How NCCL names the socket of a rank other than the first: there is one for each, in one process or in several. */
    private static final Pattern NCCL_RANK = Pattern.compile("([@/]tmp/nccl-socket-[1-9][0-9]*-[0-9a-f]+).*");

    /** What neither the driver checkpoint nor the preload can carry, but for what the application may end before. */
    public List<Refusal> device(TargetStatus status, List<GpuInfo> devices) {
        List<Refusal> refusals = new ArrayList<>();
        if (status.state() != TargetState.RUNNING) {
            refusals.add(unsupported("it is already frozen (" + status.state() + ")"));
        }
        for (io.gpusnap.gpu.Refusal refusal : status.certainRefusals()) {
            refusals.add(unsupported(
                    switch (refusal) {
                        case MANAGED_MEMORY ->
                            "it uses managed memory (cuMemAllocManaged), which cannot be checkpointed";
                        case MIG -> "it runs on a MIG instance, which the driver cannot checkpoint";
                        case LEGACY_IPC ->
                            "it shares device memory with another process (exported or imported, or by cuIpc*), as NCCL does"
                                    + END_IT_BEFORE;
                        case MULTICAST -> "it uses multicast objects (NVLS), which the driver cannot checkpoint";
                        case MPS -> "it runs under MPS, which the driver cannot checkpoint";
                        case OTHER -> "its preload is newer than this daemon, and names a reason that it does not know";
                    }));
        }
        for (GpuInfo device : devices) {
            if (device.migEnabled() && !status.refusals().contains(io.gpusnap.gpu.Refusal.MIG)) {
                refusals.add(unsupported("GPU " + device.ordinal() + " (" + device.name() + ") is in MIG mode"));
            }
        }
        return refusals;
    }

    /** What CRIU cannot carry. */
    public List<Refusal> process(List<ProcessId> tree) {
        return process(tree, Set.of());
    }

    /** @param replaced pipes that lead to strangers and are another's after a thaw: a container's logs */
    public List<Refusal> process(List<ProcessId> tree, Set<String> replaced) {
        List<Refusal> refusals = new ArrayList<>();
        Map<String, String> pipes = new LinkedHashMap<>();
        for (ProcessId process : tree) {
            if (proc.stat(process.pid()).map(ProcessStat::session).orElse(-1) == LED_FROM_OUTSIDE) {
                refusals.add(unsupported(process
                        + " belongs to a session whose leader is outside of this PID namespace: start it with setsid"));
            }
            for (OpenFd fd : proc.descriptors(process.pid())) {
                String where = process + " fd " + fd.fd();
                if (fd.isIoUring()) {
                    refusals.add(unsupported(where + " is an io_uring, which CRIU cannot dump"));
                } else if (fd.isTerminal()) {
                    refusals.add(unsupported(where + " is the terminal " + fd.target() + OUTPUT_INTO_A_FILE));
                } else if (fd.isPipe() && !replaced.contains(fd.target())) {
                    pipes.putIfAbsent(fd.target(), where);
                }
            }
        }
        Set<Integer> pids = new HashSet<>();
        tree.forEach(process -> pids.add(process.pid()));
        Map<String, Integer> strangers = new SocketOwners(proc).holders(pipes.keySet(), pids);
        pipes.forEach((pipe, where) -> {
            if (strangers.containsKey(pipe)) {
                refusals.add(unsupported("%s is a pipe to pid %d, which is not part of the workload%s"
                        .formatted(where, strangers.get(pipe), OUTPUT_INTO_A_FILE)));
            }
        });
        return refusals;
    }

    /** What a thaw would cut off: communicators of NCCL, whose connections are closed by it. */
    public List<Refusal> communicators(List<ProcessId> tree) {
        List<Refusal> refusals = new ArrayList<>();
        for (ProcessId process : tree) {
            proc.mappings(process.pid()).stream()
                    .filter(path -> path.startsWith(NCCL_SEGMENT))
                    .findFirst()
                    .ifPresent(path -> refusals.add(unsupported(
                            "%s has a communicator of NCCL (%s is mapped), whose connections a thaw would close%s"
                                    .formatted(process, path, END_IT_BEFORE))));
        }
        if (refusals.isEmpty()) {
            rankSocket(tree)
                    .ifPresent(name -> refusals.add(unsupported(
                            "it has a communicator of NCCL over several GPUs (%s is bound), whose connections a thaw would close%s"
                                    .formatted(name, END_IT_BEFORE))));
        }
        return refusals;
    }

    private Optional<String> rankSocket(List<ProcessId> tree) {
        return new SocketOwners(proc)
                .boundUnixNames(tree).stream()
                        .map(NCCL_RANK::matcher)
                        .filter(Matcher::matches)
                        .map(found -> found.group(1))
                        .findFirst();
    }

    private static Refusal unsupported(String detail) {
        return new Refusal(FailureCode.WORKLOAD_UNSUPPORTED, detail);
    }
}
