package io.gpusnap.node.store;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Everything a snapshot is made of and everything its new home must fit: schema {@code gpusnap.manifest/3}, or {@code /4}
 * of a workload in a container, described field by field in docs/formats.md, where the older ones are as well. A value of this class that came from {@link ManifestJson} is
 * valid.
 */
public record Manifest(
        String schema,
        SnapshotId snapshotId,
        String engine,
        Instant createdAt,
        Producer producer,
        String digestAlgorithm,
        Compatibility compatibility,
        ProcessImage process,
        Device device,
        Host host,
        Totals totals,
        Optional<ContainerPart> container) {

    public static final String SCHEMA = "gpusnap.manifest/5";
    /** The same with a container part: a daemon that does not know it must not thaw such a workload among its own processes. */
    public static final String CONTAINER_SCHEMA = "gpusnap.manifest/6";
    /** Read for ever, written no more: all GPUs are in use. */
    static final String FOURTH_SCHEMA = "gpusnap.manifest/4";
    /** The fourth without a container part. */
    static final String THIRD_SCHEMA = "gpusnap.manifest/3";
    /** Read for ever, written no more: host areas are without gaps. */
    static final String SECOND_SCHEMA = "gpusnap.manifest/2";
    /** Read for ever, written no more: there are no host areas. */
    static final String FIRST_SCHEMA = "gpusnap.manifest/1";

    /** Whether manifests of the schema have a container part. */
    static boolean hasContainer(String schema) {
        return schema.equals(CONTAINER_SCHEMA) || schema.equals(FOURTH_SCHEMA);
    }

    /** Of a workload that lived where the daemon does. */
    public Manifest(
            String schema,
            SnapshotId snapshotId,
            String engine,
            Instant createdAt,
            Producer producer,
            String digestAlgorithm,
            Compatibility compatibility,
            ProcessImage process,
            Device device,
            Host host,
            Totals totals) {
        this(
                schema,
                snapshotId,
                engine,
                createdAt,
                producer,
                digestAlgorithm,
                compatibility,
                process,
                device,
                host,
                totals,
                Optional.empty());
    }

    /** Versions of what wrote the snapshot; criu is "" for engines that do not use it. */
    public record Producer(String gpusnap, String criu, String driver, int abi) {}

    public record Compatibility(
            String architecture,
            String kernelRelease,
            String cpuModel,
            List<String> cpuFeatures,
            List<Gpu> gpus,
            int cudaDriverVersion,
            String driverBuild,
            boolean simulated,
            List<Library> libraries,
            List<String> mounts,
            String image) {

        public Compatibility {
            cpuFeatures = List.copyOf(cpuFeatures);
            gpus = List.copyOf(gpus);
            libraries = List.copyOf(libraries);
            mounts = List.copyOf(mounts);
        }
    }

    /**
     * A GPU that the processes can open.
     *
     * @param inUse whether one of them has a context on it: if not, it need only be there when one of them changes
     */
    public record Gpu(
            int ordinal, String uuid, String name, long memoryBytes, String computeCapability, boolean inUse) {}

    /** role: libcuda, preload or executable. */
    public record Library(String role, String path, String sha256, long sizeBytes) {}

    /**
     * @param startTimeTicks with pid, the very process that a suspend left frozen
     * @param taskIds ids of every process and thread of the tree: all must be free where it is restored
     * @param sessionLeader false: CRIU treats the workload as a job of the session it is restored from
     * @param environmentNames names only: values may be secrets
     */
    public record ProcessImage(
            String workload,
            int pid,
            long startTimeTicks,
            List<Integer> taskIds,
            boolean sessionLeader,
            String executable,
            List<String> commandLine,
            String workingDirectory,
            long uid,
            long gid,
            List<ListeningSocket> listeningSockets,
            List<OpenFile> openFiles,
            List<MappedFile> mappedFiles,
            List<String> unixSockets,
            List<String> environmentNames) {

        public ProcessImage {
            taskIds = List.copyOf(taskIds);
            commandLine = List.copyOf(commandLine);
            listeningSockets = List.copyOf(listeningSockets);
            openFiles = List.copyOf(openFiles);
            mappedFiles = List.copyOf(mappedFiles);
            unixSockets = List.copyOf(unixSockets);
            environmentNames = List.copyOf(environmentNames);
        }
    }

    /** address: numeric, "0.0.0.0" and "::" mean every one. */
    public record ListeningSocket(String protocol, String address, int port) {}

    /** mode: r, w, a (append) or rw. */
    public record OpenFile(int fd, String path, long sizeBytes, String mode) {}

    public record MappedFile(String path, long sizeBytes) {}

    /**
     * @param driverBytes device memory that the processes hold besides their allocations once they are back
     * @param taskIds the processes that use CUDA; the ids of the n-th one's allocations have n in their upper 16 bits.
     *     Empty in the first schema: only the workload's first process can
     */
    public record Device(long driverBytes, List<Integer> taskIds, List<Allocation> allocations) {

        public Device {
            taskIds = List.copyOf(taskIds);
            allocations = List.copyOf(allocations);
        }
    }

    /** address: hex with 0x, as the workload sees it. Chunks are 4 MiB but for the last. */
    public record Allocation(long id, String address, long sizeBytes, int gpuOrdinal, List<ChunkRef> chunks) {

        public Allocation {
            chunks = List.copyOf(chunks);
        }
    }

    /**
     * @param files what CRIU restores from
     * @param areas memory that is in none of them; no two of a task overlap
     */
    public record Host(List<HostFile> files, List<HostArea> areas) {

        public Host {
            files = List.copyOf(files);
            areas = List.copyOf(areas);
        }

        public long filesBytes() {
            return files.stream().mapToLong(HostFile::sizeBytes).sum();
        }

        public long areasBytes() {
            return areas.stream().mapToLong(HostArea::sizeBytes).sum();
        }
    }

    /** A file of the process image. mode: permission bits. */
    public record HostFile(String name, long sizeBytes, int mode, List<ChunkRef> chunks) {

        public HostFile {
            chunks = List.copyOf(chunks);
        }
    }

    /**
     * Memory of a process that is filled in once CRIU has mapped it, empty, and before the process runs. There may be gaps in
     * it, which stay as they are; the chunks are those of everything else in a row.
     *
     * @param taskId pid as the process itself has it
     * @param address hex with 0x, of its first page
     * @param sizeBytes without the gaps
     * @param runs numbers of pages that by turns are in the area and are not; first and last are in it. Empty in the second
     *     schema: all are
     */
    public record HostArea(int taskId, String address, long sizeBytes, List<Long> runs, List<ChunkRef> chunks) {

        public static final int PAGE_BYTES = 4096;

        public HostArea {
            runs = List.copyOf(runs);
            chunks = List.copyOf(chunks);
        }

        /** @param ranges whole pages in order; at least one */
        public static HostArea of(int taskId, List<MemoryRange> ranges, List<ChunkRef> chunks) {
            List<Long> runs = new ArrayList<>(List.of(0L));
            long sizeBytes = 0;
            long end = ranges.getFirst().address();
            for (MemoryRange range : ranges) {
                if (range.address() != end) {
                    runs.add((range.address() - end) / PAGE_BYTES);
                    runs.add(0L);
                }
                runs.add(runs.removeLast() + range.sizeBytes() / PAGE_BYTES);
                sizeBytes += range.sizeBytes();
                end = range.address() + range.sizeBytes();
            }
            String address = "0x" + Long.toHexString(ranges.getFirst().address());
            return new HostArea(taskId, address, sizeBytes, runs, chunks);
        }

        /** Where its bytes belong, in order. */
        public List<MemoryRange> ranges() {
            long at = start();
            if (runs.isEmpty()) {
                return List.of(new MemoryRange(at, sizeBytes));
            }
            List<MemoryRange> ranges = new ArrayList<>();
            for (int i = 0; i < runs.size(); i++) {
                long bytes = runs.get(i) * PAGE_BYTES;
                if (i % 2 == 0) {
                    ranges.add(new MemoryRange(at, bytes));
                }
                at += bytes;
            }
            return ranges;
        }

        long start() {
            return Long.parseUnsignedLong(address.substring(2), 16);
        }
    }

    /** Addresses of a process. */
    public record MemoryRange(long address, long sizeBytes) {}

    /**
     * @param hostBytes of files and areas
     * @param logicalBytes vramBytes + hostBytes
     * @param storedBytes what this save added to the store, compressed as it is there; not more than all of it
     * @param chunksTotal all chunks, also zero and repeated ones
     * @param chunksStored how many of them this save added
     */
    public record Totals(
            long vramBytes,
            long hostBytes,
            long logicalBytes,
            long storedBytes,
            long chunksTotal,
            long chunksStored,
            long chunksZero) {}

    public Stream<ChunkRef> chunks() {
        return Stream.of(
                        device.allocations().stream().flatMap(a -> a.chunks().stream()),
                        host.files().stream().flatMap(f -> f.chunks().stream()),
                        host.areas().stream().flatMap(a -> a.chunks().stream()))
                .flatMap(chunks -> chunks);
    }

    /** Device bytes on one GPU. */
    public long vramBytes(int gpuOrdinal) {
        return device.allocations().stream()
                .filter(a -> a.gpuOrdinal() == gpuOrdinal)
                .mapToLong(Allocation::sizeBytes)
                .sum();
    }
}
