/**
 * Chunks on shared media, packed into objects of a size that such media like; with the snapshots that are made of them. The layout
 * is in docs/formats.md.
 */
@NullMarked
package io.gpusnap.node.tier.pack;

import org.jspecify.annotations.NullMarked;
