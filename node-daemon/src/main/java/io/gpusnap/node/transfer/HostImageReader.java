package io.gpusnap.node.transfer;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.Nearby;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest.HostFile;
import io.gpusnap.node.tier.TierException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;

/** Makes the files of a process image again from chunks, each verified before it is written. Zero chunks become holes. */
public final class HostImageReader {

    private record Piece(ImageFile file, long offset) {}

    private HostImageReader() {}

    /**
     * @param files names are plain (the manifest's rules); none may exist in the folder
     * @throws TierException MISSING, CORRUPT, NO_SPACE (of the folder), IO
     */
    public static void materialise(List<HostFile> files, Path folder, ChunkSources sources, Transfer transfer)
            throws TierException, InterruptedException {
        List<ImageFile> made = new ArrayList<>();
        try (Arena arena = Arena.ofShared();
                Buffers buffers = new Buffers()) {
            Semaphore beside = ImageFile.beside(folder);
            Map<ChunkRef, List<Piece>> pieces = new LinkedHashMap<>();
            for (HostFile file : files) {
                ImageFile image = ImageFile.create(folder.resolve(file.name()), file, beside, arena);
                made.add(image);
                long offset = 0;
                for (ChunkRef chunk : file.chunks()) {
                    if (chunk.isZero()) {
                        transfer.progress().accept(chunk.sizeBytes());
                    } else {
                        pieces.computeIfAbsent(chunk, any -> new ArrayList<>()).add(new Piece(image, offset));
                    }
                    offset += chunk.sizeBytes();
                }
            }
            Batch.each("materialise", sources, List.copyOf(pieces.keySet()), transfer, () -> {
                BatchReader reader = new BatchReader(sources, buffers);
                Nearby.Target target = Nearby.Target.at(Transfer.buffer(buffers), (chunk, content) -> {
                    for (Piece piece : pieces.getOrDefault(chunk, List.of())) {
                        piece.file().write(content, piece.offset());
                        transfer.progress().accept(chunk.sizeBytes());
                    }
                });
                return batch -> {
                    transfer.safePoint().run();
                    reader.read(batch, target);
                };
            });
        } finally {
            close(made);
        }
    }

    private static void close(List<ImageFile> files) throws TierException {
        List<TierException> failures = new ArrayList<>();
        for (ImageFile file : files) {
            try {
                file.close();
            } catch (TierException e) {
                failures.add(e);
            }
        }
        if (!failures.isEmpty()) {
            throw failures.getFirst();
        }
    }
}
