/** Long work: queued here, claimed by daemons under a lease and a fencing epoch. */
@NullMarked
package io.gpusnap.service.operation;

import org.jspecify.annotations.NullMarked;
