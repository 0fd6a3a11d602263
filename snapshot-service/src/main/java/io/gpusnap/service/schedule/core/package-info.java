/** Who gets which GPU of a pool: pure decisions, the same for the service and for the simulation. */
@NullMarked
package io.gpusnap.service.schedule.core;

import org.jspecify.annotations.NullMarked;
