/** How pods start from snapshots: the words that webhook, operator and pods share, and what is kept of each start. */
@NullMarked
package io.gpusnap.service.kubernetes.start;

import org.jspecify.annotations.NullMarked;
