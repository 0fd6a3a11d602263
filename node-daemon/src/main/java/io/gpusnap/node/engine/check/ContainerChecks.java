package io.gpusnap.node.engine.check;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.Container;
import io.gpusnap.node.process.LocalAddresses;
import io.gpusnap.node.process.Mount;
import io.gpusnap.node.process.OpenFd;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.ContainerPart;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** What a container must be like to be left, and to be entered. Looks only. */
public final class ContainerChecks {

    /** Of the GPU's own, and named after its place on the bus: another GPU has others. */
    private static final List<String> GPU_MOUNTS = List.of("/dev/nvidia", "/proc/driver/nvidia");

    private static final int STANDARD_DESCRIPTORS = 3;

    private final ProcFs proc;
    private final Container container;

    public ContainerChecks(ProcFs proc, Container container) {
        this.proc = proc;
        this.container = container;
    }

    /** Why a workload of this container cannot be saved. */
    public List<Refusal> save(ProcessId workload, List<ProcessId> tree) {
        List<Refusal> refusals = new ArrayList<>();
        if (workload.equals(container.init())) {
            refusals.add(unsupported(
                    "it is its container's process 1, an id that is taken in every other container: start it under"
                            + " gpusnap-placeholder"));
        }
        users().ifPresent(refusals::add);
        for (ProcessId process : tree) {
            container
                    .strange(proc, process)
                    .ifPresent(kind -> refusals.add(
                            unsupported("%s has a %s namespace that is not its container's".formatted(process, kind))));
        }
        return refusals;
    }

    /** What CRIU cannot map. */
    public Optional<Refusal> users() {
        return container.mapsUsers(proc)
                ? Optional.of(unsupported("its container has a user namespace of its own (hostUsers: false)"))
                : Optional.empty();
    }

    /** Standard descriptors of the first process that are pipes, by what they are: the container's logs. */
    public Map<String, Integer> pipes() {
        return proc.descriptors(container.init().pid()).stream()
                .filter(fd -> fd.fd() < STANDARD_DESCRIPTORS && fd.isPipe())
                .collect(Collectors.toMap(OpenFd::target, OpenFd::fd, (first, second) -> first));
    }

    /**
     * For the manifest, of a tree that stands still.
     *
     * @throws StageException WORKLOAD_UNSUPPORTED when it has more files of the container's own than a snapshot takes
     */
    public ContainerPart capture(List<ProcessId> tree) throws StageException, IOException {
        List<ContainerPart.WrittenFile> files = new WrittenFiles(proc, container).of(tree);
        long written =
                files.stream().mapToLong(ContainerPart.WrittenFile::sizeBytes).sum();
        if (written > WrittenFiles.MOST_BYTES) {
            throw new StageException(
                    FailureCode.WORKLOAD_UNSUPPORTED,
                    "it has %d bytes of files open or mapped that were written in the container, more than %d: put them on a volume"
                            .formatted(written, WrittenFiles.MOST_BYTES));
        }
        Map<String, Integer> pipes = pipes();
        Set<String> held = new HashSet<>();
        for (ProcessId process : tree) {
            proc.descriptors(process.pid()).forEach(fd -> held.add(fd.target()));
        }
        return new ContainerPart(
                proc.mounts(container.init().pid()).stream()
                        .map(mount -> new ContainerPart.MountPoint(mount.point(), mount.type()))
                        .distinct()
                        .toList(),
                pipes.entrySet().stream()
                        .filter(pipe -> held.contains(pipe.getKey()))
                        .map(pipe -> new ContainerPart.LogPipe(pipe.getKey(), pipe.getValue()))
                        .toList(),
                LocalAddresses.boundBy(proc, tree),
                files);
    }

    /** Why this container cannot take in what lived in another one. */
    public List<Refusal> thaw(ContainerPart saved) {
        List<Refusal> refusals = new ArrayList<>();
        users().ifPresent(refusals::add);
        Map<String, String> here = proc.mounts(container.init().pid()).stream()
                .collect(Collectors.toMap(Mount::point, Mount::type, (hidden, upper) -> upper));
        Map<String, String> wanted = saved.mounts().stream()
                .filter(mount -> GPU_MOUNTS.stream().noneMatch(mount.path()::startsWith))
                .collect(Collectors.toMap(
                        ContainerPart.MountPoint::path, ContainerPart.MountPoint::type, (hidden, upper) -> upper));
        wanted.forEach((path, type) -> {
            String found = here.get(path);
            if (found == null) {
                refusals.add(new Refusal(
                        FailureCode.PATH_MISSING,
                        "the snapshot's container had a mount at %s (%s), this one has none".formatted(path, type)));
            } else if (!found.equals(type)) {
                refusals.add(new Refusal(
                        FailureCode.INCOMPATIBLE,
                        "the snapshot's container had %s mounted at %s, this one %s".formatted(type, path, found)));
            }
        });
        Set<String> addresses = LocalAddresses.of(proc, container.init().pid());
        for (String address : saved.addresses()) {
            if (!addresses.contains(address)) {
                refusals.add(new Refusal(
                        FailureCode.INCOMPATIBLE,
                        "the workload is bound to the address %s, which this container has not (it has %s): let it listen"
                                        .formatted(address, addresses)
                                + " on 0.0.0.0 or ::"));
            }
        }
        return refusals;
    }

    private static Refusal unsupported(String detail) {
        return new Refusal(FailureCode.WORKLOAD_UNSUPPORTED, detail);
    }
}
