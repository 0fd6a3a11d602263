package io.gpusnap.service.platform.web;

/** Strong ETags out of row versions. */
public final class ETags {
    private ETags() {}

    /** The version as an ETag, in its quotes. */
    public static String of(long version) {
        return "\"" + version + "\"";
    }
}
