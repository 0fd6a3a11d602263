@NullMarked
package io.gpusnap.node.tier.key;

import org.jspecify.annotations.NullMarked;
