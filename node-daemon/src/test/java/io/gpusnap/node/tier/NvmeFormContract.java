package io.gpusnap.node.tier;

import io.gpusnap.node.store.ChunkDigest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** Of a node's own store that writes other bytes than its chunks. */
abstract class NvmeFormContract extends ChunkTierContract {

    @TempDir
    Path folder;

    @TempDir
    Path elsewhere;

    /** The store that the contract is about. */
    abstract NvmeTier tier(StoreRoot root);

    @Override
    protected ChunkTier open() throws Exception {
        return tier(StoreRoot.open(folder));
    }

    @Override
    protected ChunkTier open(Middle middle) throws Exception {
        return tier(FaultyDisk.under(folder, middle));
    }

    @Override
    protected ChunkTier afterAKill() throws Exception {
        return tier(FaultyDisk.imageOf(folder, elsewhere));
    }

    @Override
    protected void assertHoldsNothing() throws Exception {
        FaultyDisk.assertHoldsNoChunk(folder);
    }

    static Path file(Path root, ChunkDigest digest) {
        return root.resolve("chunks/" + digest.hex().substring(0, 2) + "/" + digest.hex());
    }

    /** @param offset 0: past the page cache; another one is not where direct reads may go */
    static byte[] read(NvmeTier tier, byte[] content, int offset) throws TierException {
        MemorySegment buffer = Arena.ofAuto().allocate((4 << 20) + 4096, 4096).asSlice(offset);
        tier.read(digestOf(content), content.length, buffer);
        return buffer.asSlice(0, content.length).toArray(ValueLayout.JAVA_BYTE);
    }
}
