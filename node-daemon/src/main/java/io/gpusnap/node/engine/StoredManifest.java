package io.gpusnap.node.engine;

/** Remembered when every chunk is stored and the pending manifest written. */
record StoredManifest(String digest) {}
