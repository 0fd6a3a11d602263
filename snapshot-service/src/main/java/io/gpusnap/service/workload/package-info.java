/** Processes that daemons report: what can be frozen, and what cannot with the reason. */
@NullMarked
package io.gpusnap.service.workload;

import org.jspecify.annotations.NullMarked;
