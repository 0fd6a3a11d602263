/** One full cycle through the REST API: cold start, save, kill, thaw, compare. */
@NullMarked
package io.gpusnap.demo;

import org.jspecify.annotations.NullMarked;
