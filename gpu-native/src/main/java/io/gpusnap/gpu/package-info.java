/** Java binding of libgpusnap, and the only user of {@code java.lang.foreign}. */
@NullMarked
package io.gpusnap.gpu;

import org.jspecify.annotations.NullMarked;
