/** The snapshots of this node's store: manifests on disk, commit, deletion that spares what others name. */
@NullMarked
package io.gpusnap.node.snapshot;

import org.jspecify.annotations.NullMarked;
