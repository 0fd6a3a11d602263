/** A directory that nodes share: objects as files, on a medium that may hang. */
@NullMarked
package io.gpusnap.node.tier.nfs;

import org.jspecify.annotations.NullMarked;
