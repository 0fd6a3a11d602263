/** Meters over rows of the database. */
@NullMarked
package io.gpusnap.service.platform.metrics;

import org.jspecify.annotations.NullMarked;
