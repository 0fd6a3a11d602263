/** Device memory of a workload: the GPU as this daemon uses it, draining memory into the pool, filling it again. */
@NullMarked
package io.gpusnap.node.engine.device;

import org.jspecify.annotations.NullMarked;
