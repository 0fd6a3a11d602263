/** The engines and the machine as the service wants to see them. */
@NullMarked
package io.gpusnap.node.inventory;

import org.jspecify.annotations.NullMarked;
