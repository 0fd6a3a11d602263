/** What the service does by itself, again and again: threads for it, and how long each round has gone on. */
@NullMarked
package io.gpusnap.service.platform.job;

import org.jspecify.annotations.NullMarked;
