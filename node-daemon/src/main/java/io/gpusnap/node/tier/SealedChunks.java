package io.gpusnap.node.tier;

import io.gpusnap.node.file.Folders;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestDigest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.ManifestJson;
import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.IntPredicate;

/**
 * By which data keys chunks of the node's own store are encrypted. A chunk's file tells only to who knows how long the chunk is, and that its
 * manifest says; so what no manifest names is not looked at.
 */
record SealedChunks(StoreRoot root, KeyNumbers numbers) {

    /** The number of the key that has encrypted a chunk of this size; empty when none has. */
    @FunctionalInterface
    interface KeyNumbers {
        OptionalInt of(ChunkDigest digest, int sizeBytes) throws TierException;
    }

    /** @throws TierException IO also when a manifest cannot be read, or is not what was written: what it names may be encrypted */
    boolean anyBy(IntPredicate wanted) throws TierException {
        for (Path folder : List.of(root.manifests(), root.pending())) {
            try {
                for (Path file : Folders.list(folder, "*.json")) {
                    if (names(file, wanted)) {
                        return true;
                    }
                }
            } catch (IOException e) {
                throw DiskErrors.typed("list", folder, e);
            }
        }
        return false;
    }

    private boolean names(Path file, IntPredicate wanted) throws TierException {
        try {
            byte[] text = Files.readAllBytes(file);
            ManifestSeal.check(file, ManifestDigest.of(text).hex());
            for (ChunkRef chunk : ManifestJson.read(text).chunks().toList()) {
                OptionalInt number = chunk.isZero()
                        ? OptionalInt.empty()
                        : numbers.of(new ChunkDigest(chunk.digest()), chunk.sizeBytes());
                if (number.isPresent() && wanted.test(number.getAsInt())) {
                    return true;
                }
            }
            return false;
        } catch (NoSuchFileException e) {
            return false; // deleted or committed meanwhile
        } catch (IOException e) {
            throw DiskErrors.typed("read", file, e);
        } catch (ManifestException e) {
            throw new TierException(Reason.IO, file + ": " + e.getMessage(), e);
        }
    }
}
