package io.gpusnap.node.engine;

import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestJson;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * What a snapshot is and where it is.
 *
 * @param presentChunks chunks with content that are in the NVMe tier with their right size; repeated ones count once
 * @param missingChunks those that are not
 * @param hotBytes bytes of them that are also in the memory tier
 */
public record InspectReport(
        Manifest manifest, String manifestDigest, long presentChunks, long missingChunks, long hotBytes) {

    /** The manifest's JSON as it would be written again: equal in content, not always in bytes. */
    public String json() {
        return new String(ManifestJson.write(manifest), StandardCharsets.UTF_8);
    }

    /** For people. */
    public String text() {
        Manifest.Totals totals = manifest.totals();
        Manifest.Compatibility needs = manifest.compatibility();
        StringBuilder text = new StringBuilder();
        line(text, "snapshot", manifest.snapshotId() + ", engine " + manifest.engine() + ", " + manifest.createdAt());
        line(text, "manifest", "sha256 " + manifestDigest);
        line(
                text,
                "workload",
                "%s, pid %d, %s"
                        .formatted(
                                manifest.process().workload(),
                                manifest.process().pid(),
                                String.join(" ", manifest.process().commandLine())));
        line(
                text,
                "size",
                "%s VRAM + %s host, of which this save stored %s in %d of %d chunks (%d zero)"
                        .formatted(
                                size(totals.vramBytes()),
                                size(totals.hostBytes()),
                                size(totals.storedBytes()),
                                totals.chunksStored(),
                                totals.chunksTotal(),
                                totals.chunksZero()));
        for (Manifest.Gpu gpu : needs.gpus()) {
            line(
                    text,
                    "needs GPU",
                    "%d: %s, %s, compute capability %s (was %s)"
                            .formatted(
                                    gpu.ordinal(),
                                    gpu.name(),
                                    gpu.inUse()
                                            ? size(manifest.vramBytes(gpu.ordinal())
                                                            + manifest.device().driverBytes()) + " free"
                                            : "not used",
                                    gpu.computeCapability(),
                                    gpu.uuid()));
        }
        line(
                text,
                "needs",
                "driver %s, CUDA %d, %s, kernel %s, %s"
                        .formatted(
                                needs.driverBuild(),
                                needs.cudaDriverVersion(),
                                needs.architecture(),
                                needs.kernelRelease(),
                                needs.cpuModel()));
        line(
                text,
                "listens on",
                manifest.process().listeningSockets().isEmpty()
                        ? "nothing"
                        : String.join(
                                ", ",
                                manifest.process().listeningSockets().stream()
                                        .map(socket -> socket.address() + ":" + socket.port())
                                        .toList()));
        line(
                text,
                "here",
                "%d chunks, %d missing, %s in memory".formatted(presentChunks, missingChunks, size(hotBytes)));
        return text.toString();
    }

    private static void line(StringBuilder text, String label, String value) {
        text.append(String.format(Locale.ROOT, "%-11s %s%n", label, value));
    }

    private static String size(long bytes) {
        if (bytes < 1 << 20) {
            return "%.1f KiB".formatted(bytes / 1024.0);
        }
        return bytes < 1 << 30 ? "%.1f MiB".formatted(bytes / 1048576.0) : "%.2f GiB".formatted(bytes / 1073741824.0);
    }
}
