/** Creates that happen once, however often they are sent. */
@NullMarked
package io.gpusnap.service.platform.idempotency;

import org.jspecify.annotations.NullMarked;
