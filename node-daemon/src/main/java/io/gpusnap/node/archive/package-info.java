/** A snapshot as one OCI image layout, a folder or a tar: what leaves this installation, and comes into it. */
@NullMarked
package io.gpusnap.node.archive;

import org.jspecify.annotations.NullMarked;
