/** Calls of the API server: all that there are, each named, counted and made in one place. */
@NullMarked
package io.gpusnap.service.kubernetes.cluster;

import org.jspecify.annotations.NullMarked;
