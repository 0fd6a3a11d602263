package io.gpusnap.node.archive;

/** What the parts of an archive are, as OCI descriptors say it. Names never change; docs/formats.md has them all. */
final class MediaTypes {

    static final String OCI_INDEX = "application/vnd.oci.image.index.v1+json";
    static final String OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
    static final String OCI_EMPTY = "application/vnd.oci.empty.v1+json";

    /** The artifact: an OCI manifest over one snapshot. */
    static final String SNAPSHOT = "application/vnd.gpusnap.snapshot.v1";
    /** Its config: the snapshot's manifest, word for word. */
    static final String MANIFEST = "application/vnd.gpusnap.manifest.v1+json";
    /** Chunks, one after the other. */
    static final String CHUNKS = "application/vnd.gpusnap.chunks.v1";
    /** The same, each encrypted. */
    static final String SEALED_CHUNKS = "application/vnd.gpusnap.chunks.v1+aes256gcm";
    /** 64 bytes. */
    static final String SIGNATURE = "application/vnd.gpusnap.signature.v1+ed25519";

    private MediaTypes() {}
}
