/** The daemon of a GPU node. */
@NullMarked
package io.gpusnap.node;

import org.jspecify.annotations.NullMarked;
