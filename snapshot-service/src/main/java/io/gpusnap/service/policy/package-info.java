/** Tier policies: which copies of which snapshots there should be, why, and the operations that make it so. */
@NullMarked
package io.gpusnap.service.policy;

import org.jspecify.annotations.NullMarked;
