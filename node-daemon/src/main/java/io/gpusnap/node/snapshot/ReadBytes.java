package io.gpusnap.node.snapshot;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiConsumer;

/** Bytes of chunks that were read, by where they were. Thread-safe. */
public final class ReadBytes {

    private final Map<String, LongAdder> bySource = new ConcurrentHashMap<>();
    private final BiConsumer<String, Long> also;

    /** Of a node. */
    public ReadBytes() {
        this((source, bytes) -> {});
    }

    private ReadBytes(BiConsumer<String, Long> also) {
        this.also = also;
    }

    /** Of one operation; they count for the node as well. */
    public ReadBytes ofOperation() {
        return new ReadBytes(this::add);
    }

    /** @param source a tier's name, or {@link ChunkSources#PEER} */
    public void add(String source, long bytes) {
        bySource.computeIfAbsent(source, name -> new LongAdder()).add(bytes);
        also.accept(source, bytes);
    }

    public Map<String, Long> bySource() {
        Map<String, Long> bytes = new TreeMap<>();
        bySource.forEach((source, sum) -> bytes.put(source, sum.sum()));
        return bytes;
    }
}
