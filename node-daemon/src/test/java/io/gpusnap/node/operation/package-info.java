@NullMarked
package io.gpusnap.node.operation;

import org.jspecify.annotations.NullMarked;
