package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.process.KernelGpu;
import io.gpusnap.node.process.ProcFs;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
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
        Set<Integer> minors = minors(root.resolve("dev"));
        Set<String> given = known.stream()
                .filter(gpu -> minors.contains(gpu.minor()))
                .map(KernelGpu::uuid)
                .collect(Collectors.toSet());
        return devices.stream().filter(device -> given.contains(device.uuid())).toList();
    }

    private static Set<Integer> minors(Path folder) {
        Set<Integer> found = new HashSet<>();
        try (DirectoryStream<Path> nodes = Files.newDirectoryStream(folder)) {
            for (Path node : nodes) {
                Matcher named = NODE.matcher(node.getFileName().toString());
                if (named.matches()) {
                    found.add(Integer.valueOf(named.group(1)));
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            return Set.of(); // a container that ends meanwhile fails where it is used
        }
        return found;
    }
}
