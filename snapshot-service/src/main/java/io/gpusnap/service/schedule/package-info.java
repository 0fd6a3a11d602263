/** Pools: several models share GPUs, and who gets which is decided again and again. */
@NullMarked
package io.gpusnap.service.schedule;

import org.jspecify.annotations.NullMarked;
