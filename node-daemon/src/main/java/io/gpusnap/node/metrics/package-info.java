/** What the daemon measures, and the small HTTP server that shows it. */
@NullMarked
package io.gpusnap.node.metrics;

import org.jspecify.annotations.NullMarked;
