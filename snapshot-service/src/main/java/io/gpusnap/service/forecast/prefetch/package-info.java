/** Which snapshot should be hot where, ahead of the scale-up that will use it. */
@NullMarked
package io.gpusnap.service.forecast.prefetch;

import org.jspecify.annotations.NullMarked;
