package io.gpusnap.node.archive;

/** Annotations of an archive. */
final class Notes {

    static final String REFERENCE = "org.opencontainers.image.ref.name";
    static final String ARCHIVE = "io.gpusnap.archive";
    static final String TENANT = "io.gpusnap.tenant";
    static final String KEY_ID = "io.gpusnap.key.id";
    static final String WRAPPED_KEY = "io.gpusnap.key.wrapped";

    private Notes() {}
}
