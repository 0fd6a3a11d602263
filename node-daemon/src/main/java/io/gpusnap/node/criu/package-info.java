/** Runs CRIU: version probe, option sets, dump, restore, and errors that quote CRIU's own first error lines. */
@NullMarked
package io.gpusnap.node.criu;

import org.jspecify.annotations.NullMarked;
