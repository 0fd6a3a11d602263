/** Snapshots: made by a SAVE, READY by one row change, never restorable once verification failed. */
@NullMarked
package io.gpusnap.service.snapshot;

import org.jspecify.annotations.NullMarked;
