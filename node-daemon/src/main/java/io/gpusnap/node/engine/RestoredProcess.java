package io.gpusnap.node.engine;

import io.gpusnap.node.process.ProcessId;

/** Remembered when the process of a thaw is known: restored by CRIU, or found frozen. */
record RestoredProcess(ProcessId process) {}
