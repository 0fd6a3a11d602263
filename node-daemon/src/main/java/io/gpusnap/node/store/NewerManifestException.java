package io.gpusnap.node.store;

/** A manifest of a schema that this daemon does not know: a newer one wrote it, and it may be as good as any. */
public final class NewerManifestException extends ManifestException {

    NewerManifestException(String schema) {
        super("schema is " + schema + ", which a newer daemon writes; this one knows up to " + Manifest.SCHEMA);
    }

    private NewerManifestException(String place, NewerManifestException cause) {
        super(place + ": " + cause.getMessage(), cause);
    }

    /** The same, which says where. */
    public NewerManifestException in(Object place) {
        return new NewerManifestException(place.toString(), this);
    }
}
