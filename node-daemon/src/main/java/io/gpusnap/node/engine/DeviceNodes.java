package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.engine.check.Refusal;
import io.gpusnap.node.file.Folders;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.process.KernelGpu;
import io.gpusnap.node.process.ProcFs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The GPUs that processes under a root can open: those of whose nodes its {@code /dev} has. A container has those that it was given, however it
 * came to them (an environment variable, a device plugin, CDI), the host has all. What a process is to run on must be one of them, and the
 * driver's map at a restore names exactly them, whatever {@code CUDA_VISIBLE_DEVICES} shows the process.
 */
final class DeviceNodes {

    private static final Pattern NODE = Pattern.compile("nvidia([0-9]{1,9})");

    private final ProcFs proc;

    DeviceNodes(ProcFs proc) {
        this.proc = proc;
    }

    /**
     * Those of the node's GPUs; all of them where the kernel does not say whose nodes they are.
     *
     * @param root of the processes, as this one sees it
     */
    List<GpuInfo> of(Path root, List<GpuInfo> devices) {
        List<KernelGpu> known = proc.gpus();
        if (known.isEmpty()) {
            return devices;
        }
        Set<String> given = given(root, known);
        return devices.stream().filter(device -> given.contains(device.uuid())).toList();
    }

    /** Those that any of these processes can open: each has a /dev of its own where it has mounts of its own. */
    List<GpuInfo> ofAny(List<Integer> pids, List<GpuInfo> devices) {
        Set<GpuInfo> any = new HashSet<>();
        pids.forEach(pid -> any.addAll(of(root(pid), devices)));
        return devices.stream().filter(any::contains).toList();
    }

    /**
     * Why these processes cannot be mapped to other GPUs together: the driver takes for each a map of exactly those that it can open.
     *
     * @param pids at least one
     */
    Optional<Refusal> difference(List<Integer> pids) {
        List<KernelGpu> known = proc.gpus();
        int first = pids.getFirst();
        Set<String> expected = given(root(first), known);
        return pids.stream()
                .filter(pid -> !given(root(pid), known).equals(expected))
                .findFirst()
                .map(pid -> new Refusal(
                        FailureCode.WORKLOAD_UNSUPPORTED,
                        "its process %d can open the GPUs %s, its process %d can open the GPUs %s: give them the same device nodes"
                                .formatted(first, expected, pid, given(root(pid), known))));
    }

    private Path root(int pid) {
        return proc.of(pid).resolve("root");
    }

    private static Set<String> given(Path root, List<KernelGpu> known) {
        Set<Integer> minors = minors(root.resolve("dev"));
        return known.stream()
                .filter(gpu -> minors.contains(gpu.minor()))
                .map(KernelGpu::uuid)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<Integer> minors(Path folder) {
        Set<Integer> found = new HashSet<>();
        try {
            for (Path node : Folders.list(folder)) {
                Matcher named = NODE.matcher(node.getFileName().toString());
                if (named.matches()) {
                    found.add(Integer.valueOf(named.group(1)));
                }
            }
        } catch (IOException e) {
            return Set.of(); // a container that ends meanwhile fails where it is used
        }
        return found;
    }
}
