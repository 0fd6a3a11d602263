/** How folders are listed and deleted, for all other packages. */
@NullMarked
package io.gpusnap.node.file;

import org.jspecify.annotations.NullMarked;
