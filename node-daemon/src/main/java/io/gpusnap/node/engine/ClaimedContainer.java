package io.gpusnap.node.engine;

import io.gpusnap.node.process.ProcessId;

/** Remembered before a placeholder is told anything: the first process of the container that a thaw goes into. */
record ClaimedContainer(ProcessId init) {}
