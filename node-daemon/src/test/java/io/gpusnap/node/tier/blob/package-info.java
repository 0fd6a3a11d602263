@NullMarked
package io.gpusnap.node.tier.blob;

import org.jspecify.annotations.NullMarked;
