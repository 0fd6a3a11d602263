/** Brings copies to nodes before they are wanted there: of the version that an alias was moved to. */
@NullMarked
package io.gpusnap.service.prefetch;

import org.jspecify.annotations.NullMarked;
