/** Bounded parallel pipelines that move bytes between pool, tiers and files. */
@NullMarked
package io.gpusnap.node.transfer;

import org.jspecify.annotations.NullMarked;
