/** Checkpoint engines: freeze and thaw as stage lists over store, tiers, CRIU and the GPU. */
@NullMarked
package io.gpusnap.node.engine;

import org.jspecify.annotations.NullMarked;
