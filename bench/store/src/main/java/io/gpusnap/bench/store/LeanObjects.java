package io.gpusnap.bench.store;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Objects outside the heap; of one that is deleted the memory goes with the next collection. */
final class LeanObjects {

    /** No digest, and it does not look like one: nobody may compare it with one. */
    static final String TAG = "\"lean-1\"";

    private static final int STEP_BYTES = 256 << 10;

    record Whole(List<MemorySegment> parts) {

        long sizeBytes() {
            return parts.stream().mapToLong(MemorySegment::byteSize).sum();
        }

        void write(long offset, long sizeBytes, OutputStream out) throws IOException {
            byte[] step = new byte[STEP_BYTES];
            long start = 0;
            long at = offset;
            long end = offset + sizeBytes;
            for (MemorySegment part : parts) {
                while (at < end && at < start + part.byteSize()) {
                    int bytes = (int) Math.min(step.length, Math.min(end, start + part.byteSize()) - at);
                    MemorySegment.copy(part, ValueLayout.JAVA_BYTE, at - start, step, 0, bytes);
                    out.write(step, 0, bytes);
                    at += bytes;
                }
                start += part.byteSize();
            }
        }
    }

    private final ConcurrentSkipListMap<String, Whole> objects = new ConcurrentSkipListMap<>();
    private final Map<String, TreeMap<Integer, MemorySegment>> uploads = new ConcurrentHashMap<>();
    private final AtomicLong serial = new AtomicLong();

    static MemorySegment read(InputStream body, long sizeBytes) throws IOException {
        MemorySegment content = Arena.ofAuto().allocate(Math.max(1, sizeBytes)).asSlice(0, sizeBytes);
        byte[] step = new byte[STEP_BYTES];
        for (long at = 0; at < sizeBytes; ) {
            int read = body.read(step, 0, (int) Math.min(step.length, sizeBytes - at));
            if (read < 0) {
                throw new IOException("the body ended early");
            }
            MemorySegment.copy(step, 0, content, ValueLayout.JAVA_BYTE, at, read);
            at += read;
        }
        body.skip(Long.MAX_VALUE);
        return content;
    }

    void put(String key, MemorySegment content) {
        objects.put(key, new Whole(List.of(content)));
    }

    @Nullable
    Whole find(String key) {
        return objects.get(key);
    }

    void delete(String key) {
        objects.remove(key);
    }

    Map<String, Long> under(String prefix) {
        return objects.subMap(prefix, prefix + Character.MAX_VALUE).entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, entry -> entry.getValue().sizeBytes(), (a, b) -> a, TreeMap::new));
    }

    String begin() {
        String id = "upload-" + serial.incrementAndGet();
        uploads.put(id, new TreeMap<>());
        return id;
    }

    void part(String upload, int number, MemorySegment content) {
        TreeMap<Integer, MemorySegment> parts = Objects.requireNonNull(uploads.get(upload));
        synchronized (parts) {
            parts.put(number, content);
        }
    }

    void complete(String key, String upload) {
        objects.put(
                key,
                new Whole(new ArrayList<>(
                        Objects.requireNonNull(uploads.remove(upload)).values())));
    }
}
