package io.gpusnap.node.snapshot;

import io.gpusnap.node.store.Manifest;

/** A manifest of the store, read and found valid, and the digest of its text. */
public record ReadManifest(Manifest manifest, String digest) {}
