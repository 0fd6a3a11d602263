package io.gpusnap.node.tier.pack;

import io.gpusnap.node.tier.ChunkTier;
import io.gpusnap.node.tier.ChunkTierContract;

/** Of a store that nodes share: whoever opens it anew is another node, and finds what the next daemon of this one would. */
abstract class PackTierContract extends ChunkTierContract {

    @Override
    protected ChunkTier reader(ChunkTier writing) throws Exception {
        return open();
    }

    @Override
    protected ChunkTier afterAKill() throws Exception {
        return open();
    }
}
