@NullMarked
package io.gpusnap.node;

import org.jspecify.annotations.NullMarked;
