package io.gpusnap.service.snapshot;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.gpusnap.service.operation.Completion;
import java.util.List;
import java.util.Optional;

/** The parts of a manifest (docs/formats.md) that the control plane checks; the rest is the daemons' own. */
@JsonIgnoreProperties(ignoreUnknown = true)
record Manifest(
        String schema,
        String snapshotId,
        String engine,
        String digestAlgorithm,
        Device device,
        Host host,
        Completion.Totals totals,
        Optional<Compatibility> compatibility,
        Optional<Process> process,
        Optional<Container> container) {

    /** What it was. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Process(
            String executable, String workingDirectory, List<OpenFile> openFiles, List<MappedFile> mappedFiles) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    record OpenFile(String path) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    record MappedFile(String path) {}

    /** There for a process that ran in one; what it has to be like is the daemons' own matter. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Container() {}

    /** What the machine was that it was taken on. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Compatibility(
            String architecture,
            String kernelRelease,
            String cpuModel,
            List<String> cpuFeatures,
            List<Gpu> gpus,
            int cudaDriverVersion,
            String driverBuild,
            boolean simulated,
            Optional<List<String>> mounts,
            Optional<String> image) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    record Gpu(
            int ordinal,
            Optional<String> uuid,
            String name,
            Optional<String> computeCapability,
            Optional<Boolean> inUse) {

        /** Whether a process has a context on it, or only sees it. */
        boolean used() {
            return inUse.orElse(true);
        }
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    record Device(List<Allocation> allocations, Optional<Long> driverBytes) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    record Allocation(String address, long sizeBytes, Optional<Integer> gpuOrdinal, List<Chunk> chunks) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    record Host(List<File> files, Optional<List<Area>> areas) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    record File(String name, long sizeBytes, List<Chunk> chunks) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    record Area(int taskId, String address, long sizeBytes, List<Chunk> chunks) {}

    /** @param digest 64 hex digits, or {@code zero} */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Chunk(String digest, long sizeBytes) {}
}
