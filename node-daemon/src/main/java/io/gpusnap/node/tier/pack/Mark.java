package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.blob.BlobKey;

/** A chunk that was wrong in one pack, as the name of its mark says. */
record Mark(ChunkDigest chunk, ChunkDigest pack) {

    static Mark of(BlobKey mark) {
        String[] names = mark.name().split("-", -1);
        return new Mark(new ChunkDigest(names[0]), new ChunkDigest(names[1]));
    }
}
