package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import java.util.Objects;

/**
 * A resource that may have changed.
 *
 * @param namespace empty for what has none
 */
record Key(Kind kind, String namespace, String name) {

    /** Kinds of resources, and of what is made of several. */
    enum Kind {
        POD,
        POLICY,
        POD_SNAPSHOT,
        CONTENT,
        MODEL,
        /** Of a model: how many replicas are wanted of it. */
        DEMAND,
        /** Of all pods: how well they are placed. */
        PLACEMENT,
        /** Of the shared tier. */
        ARCHIVE
    }

    static Key of(Kind kind, HasMetadata resource) {
        return new Key(
                kind,
                Objects.requireNonNullElse(resource.getMetadata().getNamespace(), ""),
                resource.getMetadata().getName());
    }

    static Key of(Kind kind, String name) {
        return new Key(kind, "", name);
    }

    /** As informers' stores name it. */
    String storeKey() {
        return namespace.isEmpty() ? name : namespace + "/" + name;
    }
}
