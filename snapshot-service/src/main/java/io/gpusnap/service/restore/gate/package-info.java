/** Whether a snapshot can come back on a node: one class a reason why not. */
@NullMarked
package io.gpusnap.service.restore.gate;

import org.jspecify.annotations.NullMarked;
