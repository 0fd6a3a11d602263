package io.gpusnap.gpu;

import java.util.Locale;

/**
 * One GPU as this process sees it.
 *
 * @param uuid "GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
 * @param freeBytes of this moment, over all processes
 * @param granularityBytes physical memory comes in multiples of this
 * @param computeCapability "9.0"
 * @param pciBusId "0000:01:00.0"
 * @param exportsPosixFd its memory can be shared as a file descriptor, which saving needs
 */
public record GpuInfo(
        int ordinal,
        String uuid,
        String name,
        long memoryBytes,
        long freeBytes,
        long granularityBytes,
        String computeCapability,
        String pciBusId,
        boolean migEnabled,
        boolean exportsPosixFd) {

    static GpuInfo from(Struct struct) {
        return new GpuInfo(
                struct.getInt("ordinal"),
                struct.getText("uuid"),
                struct.getText("name"),
                struct.getLong("memory_bytes"),
                struct.getLong("free_bytes"),
                struct.getLong("granularity_bytes"),
                struct.getInt("compute_major") + "." + struct.getInt("compute_minor"),
                String.format(
                        Locale.ROOT,
                        "%04x:%02x:%02x.0",
                        struct.getInt("pci_domain"),
                        struct.getInt("pci_bus"),
                        struct.getInt("pci_device")),
                struct.getFlag("mig_enabled"),
                struct.getFlag("exports_posix_fd"));
    }
}
