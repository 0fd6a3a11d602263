@NullMarked
package io.gpusnap.node.metrics;

import org.jspecify.annotations.NullMarked;
