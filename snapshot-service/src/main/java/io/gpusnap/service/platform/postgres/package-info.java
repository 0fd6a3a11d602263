/** The PostgreSQL that the service brings along when none is configured. */
@NullMarked
package io.gpusnap.service.platform.postgres;

import org.jspecify.annotations.NullMarked;
