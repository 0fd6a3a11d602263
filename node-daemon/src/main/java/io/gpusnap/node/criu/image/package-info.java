/** Reads and rewrites the files of a CRIU dump, as far as memory goes. */
@NullMarked
package io.gpusnap.node.criu.image;

import org.jspecify.annotations.NullMarked;
