package io.gpusnap.node.engine.check;

import io.gpusnap.gpu.DriverInfo;
import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.process.HostFacts;
import io.gpusnap.node.store.Manifest;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Whether a snapshot fits this node. Every refusal names both sides. */
public final class Compatibility {

    private Compatibility() {}

    public static List<Refusal> host(Manifest.Compatibility saved, HostFacts here) {
        List<Refusal> refusals = new ArrayList<>();
        if (!saved.architecture().equals(here.architecture())) {
            refusals.add(incompatible("architecture", saved.architecture(), here.architecture()));
        }
        if (!HostFacts.kernelMajor(saved.kernelRelease()).equals(HostFacts.kernelMajor(here.kernelRelease()))) {
            refusals.add(incompatible("kernel", saved.kernelRelease(), here.kernelRelease()));
        }
        Set<String> missing = new LinkedHashSet<>(saved.cpuFeatures());
        here.cpuFeatures().forEach(missing::remove);
        if (!missing.isEmpty()) {
            refusals.add(new Refusal(
                    FailureCode.INCOMPATIBLE,
                    "the snapshot's processor (%s) has features that this node's (%s) has not: %s"
                            .formatted(saved.cpuModel(), here.cpuModel(), String.join(" ", missing))));
        }
        return refusals;
    }

    public static List<Refusal> driver(Manifest.Compatibility saved, DriverInfo here) {
        List<Refusal> refusals = new ArrayList<>();
        if (saved.simulated() != here.simulated()) {
            refusals.add(new Refusal(
                    FailureCode.DRIVER_MISMATCH,
                    "the snapshot was made with a %s driver, this node has a %s one"
                            .formatted(kind(saved.simulated()), kind(here.simulated()))));
        } else if (!saved.driverBuild().equals(here.build()) || saved.cudaDriverVersion() != here.cudaVersion()) {
            refusals.add(new Refusal(
                    FailureCode.DRIVER_MISMATCH,
                    "the snapshot was made with driver %s (CUDA %d), this node has %s (CUDA %d)"
                            .formatted(
                                    saved.driverBuild(), saved.cudaDriverVersion(), here.build(), here.cudaVersion())));
        }
        return refusals;
    }

    /**
     * What a GPU of the manifest needs. What the driver holds besides is known for all GPUs together; each is asked for all of it.
     */
    public static long vramBytes(Manifest manifest, int ordinal) {
        return manifest.vramBytes(ordinal) + manifest.device().driverBytes();
    }

    /**
     * Checked before the driver is touched: a driver restore that runs out of memory strands the process for good.
     *
     * @param devices by ordinal of the manifest
     * @param madeBytes of its allocations that are there already, by the devices' own ordinals
     */
    public static List<Refusal> vram(Manifest manifest, Map<Integer, GpuInfo> devices, Map<Integer, Long> madeBytes) {
        List<Refusal> refusals = new ArrayList<>();
        devices.forEach((ordinal, device) -> {
            long needed = vramBytes(manifest, ordinal);
            long freeBytes = device.freeBytes() + madeBytes.getOrDefault(device.ordinal(), 0L);
            if (needed > freeBytes) {
                refusals.add(new Refusal(
                        FailureCode.INSUFFICIENT_VRAM,
                        "GPU %d (%s) has %d bytes free, the snapshot needs %d (%d of allocations, %d of the driver)"
                                .formatted(
                                        device.ordinal(),
                                        device.name(),
                                        freeBytes,
                                        needed,
                                        manifest.vramBytes(ordinal),
                                        manifest.device().driverBytes())));
            }
        });
        return refusals;
    }

    private static String kind(boolean simulated) {
        return simulated ? "simulated" : "real";
    }

    private static Refusal incompatible(String what, String saved, String here) {
        return new Refusal(
                FailureCode.INCOMPATIBLE, "the snapshot's %s is %s, this node's is %s".formatted(what, saved, here));
    }
}
