/** What shared, remote media must offer: named, immutable objects. Packs of chunks are built on it. */
@NullMarked
package io.gpusnap.node.tier.blob;

import org.jspecify.annotations.NullMarked;
