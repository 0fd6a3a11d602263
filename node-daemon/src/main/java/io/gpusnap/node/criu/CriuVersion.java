package io.gpusnap.node.criu;

import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A version of CRIU, ordered. */
public record CriuVersion(int major, int minor, int patch) implements Comparable<CriuVersion> {

    private static final Pattern LINE = Pattern.compile("(?m)^Version:\\s*(\\d+)\\.(\\d+)(?:\\.(\\d+))?");
    private static final Comparator<CriuVersion> ORDER = Comparator.comparingInt(CriuVersion::major)
            .thenComparingInt(CriuVersion::minor)
            .thenComparingInt(CriuVersion::patch);

    /** From what {@code criu --version} prints. */
    static Optional<CriuVersion> parse(String output) {
        Matcher matcher = LINE.matcher(output);
        if (!matcher.find()) {
            return Optional.empty();
        }
        String patch = matcher.group(3);
        return Optional.of(new CriuVersion(
                Integer.parseInt(matcher.group(1)),
                Integer.parseInt(matcher.group(2)),
                patch == null ? 0 : Integer.parseInt(patch)));
    }

    /**
     * The oldest that works with a kernel. 4.1 is the first that knows the vDSO of 6.13. From 6.16 on the kernel answers a
     * socket option differently, and only 4.2 can dump a process that listens.
     *
     * @param kernelRelease as uname prints it
     */
    static CriuVersion minimumFor(String kernelRelease) {
        String[] parts = kernelRelease.split("[^0-9]+", 3);
        int kernelMajor = parts.length > 1 ? Integer.parseInt(parts[0]) : 0;
        int kernelMinor = parts.length > 1 ? Integer.parseInt(parts[1]) : 0;
        boolean needs42 = kernelMajor > 6 || (kernelMajor == 6 && kernelMinor >= 16);
        return new CriuVersion(4, needs42 ? 2 : 1, 0);
    }

    @Override
    public int compareTo(CriuVersion other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return patch == 0 ? major + "." + minor : major + "." + minor + "." + patch;
    }
}
