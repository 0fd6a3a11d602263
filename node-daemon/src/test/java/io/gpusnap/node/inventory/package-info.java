@NullMarked
package io.gpusnap.node.inventory;

import org.jspecify.annotations.NullMarked;
