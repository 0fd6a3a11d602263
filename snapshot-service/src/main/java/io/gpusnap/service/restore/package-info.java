/** Restores: which snapshot thaws where, and why there. */
@NullMarked
package io.gpusnap.service.restore;

import org.jspecify.annotations.NullMarked;
