/** The scheduler on a simulated fleet, beside a greedy one. */
@NullMarked
package io.gpusnap.service.schedule.simulation;

import org.jspecify.annotations.NullMarked;
