/** Where chunks live: the tier SPI with its guarantees, the NVMe tier and the pinned memory tier. */
@NullMarked
package io.gpusnap.node.tier;

import org.jspecify.annotations.NullMarked;
