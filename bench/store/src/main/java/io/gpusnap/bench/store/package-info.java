/** The daemon's store and shared tiers, worked as its stages work them, for files that stand for a process image. */
@NullMarked
package io.gpusnap.bench.store;

import org.jspecify.annotations.NullMarked;
