@NullMarked
package io.gpusnap.node.tier.pack;

import org.jspecify.annotations.NullMarked;
