/** The daemon's settings: where they come from, and the validated records that the rest works with. */
@NullMarked
package io.gpusnap.node.config;

import org.jspecify.annotations.NullMarked;
