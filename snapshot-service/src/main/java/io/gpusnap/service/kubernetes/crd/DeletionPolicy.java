package io.gpusnap.service.kubernetes.crd;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What becomes of the snapshot, or of the catalogue's entry, when its custom resource is deleted; as external-snapshotter has it. */
public enum DeletionPolicy {
    /** It is deleted as well. */
    @JsonProperty("Delete")
    DELETE,
    /** It stays, and can be bound again. */
    @JsonProperty("Retain")
    RETAIN
}
