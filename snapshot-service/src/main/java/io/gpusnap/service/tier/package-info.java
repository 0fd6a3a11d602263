/** Stores: what holds chunks, which node sees it, what is in it, and what of that is garbage. */
@NullMarked
package io.gpusnap.service.tier;

import org.jspecify.annotations.NullMarked;
