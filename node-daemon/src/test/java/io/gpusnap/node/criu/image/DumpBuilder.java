package io.gpusnap.node.criu.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** A dump's memory files, written as CRIU writes them. */
final class DumpBuilder {

    static final long READ_WRITE = 3;
    static final long PRIVATE_ANONYMOUS = 0x22;
    static final long PLAIN = 1 | 1 << 9;
    static final long PRESENT_LAZY = 6;

    record Mapping(long start, long sizeBytes, long protection, long flags, long status) {}

    record Pages(long start, long sizeBytes, long flags) {}

    private final Path folder;
    private final List<Path> images = new ArrayList<>();
    private final Random random = new Random(5);

    DumpBuilder(Path folder) {
        this.folder = folder;
    }

    static Mapping plain(long start, long sizeBytes) {
        return new Mapping(start, sizeBytes, READ_WRITE, PRIVATE_ANONYMOUS, PLAIN);
    }

    static Pages present(long start, long sizeBytes) {
        return new Pages(start, sizeBytes, PRESENT_LAZY);
    }

    DumpBuilder task(int id, int pagesId, List<Mapping> mappings, List<Pages> pages) throws IOException {
        List<byte[]> entries = new ArrayList<>(List.of(message(1, pagesId)));
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (Pages some : pages) {
            entries.add(message(1, some.start(), 2, 0, 4, some.flags(), 5, some.sizeBytes() / 4096));
            byte[] bytes = new byte[(int) some.sizeBytes()];
            random.nextBytes(bytes);
            content.writeBytes(bytes);
        }
        ByteArrayOutputStream mm = new ByteArrayOutputStream();
        for (Mapping mapping : mappings) {
            byte[] vma = message(
                    1,
                    mapping.start(),
                    2,
                    mapping.start() + mapping.sizeBytes(),
                    3,
                    0,
                    4,
                    0,
                    5,
                    mapping.protection(),
                    6,
                    mapping.flags(),
                    7,
                    mapping.status(),
                    8,
                    1);
            mm.write(14 << 3 | 2);
            mm.write(vma.length);
            mm.writeBytes(vma);
        }
        write("pagemap-" + id + ".img", ImageFile.PAGEMAP, entries);
        write("mm-" + id + ".img", ImageFile.MM, List.of(mm.toByteArray()));
        core(id, 0);
        images.add(Files.write(folder.resolve("pages-" + pagesId + ".img"), content.toByteArray()));
        return this;
    }

    /** What is kept of a thread, with the address where the kernel keeps its CPU, 0 for none. */
    DumpBuilder core(int id, long rseqAddress) throws IOException {
        byte[] thread = message(1, 0x1234, 2, 24);
        if (rseqAddress != 0) {
            byte[] rseq = message(1, rseqAddress, 2, 32, 3, 0x53053053);
            thread = concat(thread, nested(15, rseq));
        }
        write("core-" + id + ".img", ImageFile.CORE, List.of(concat(message(1, 1), nested(5, thread))));
        return this;
    }

    private static byte[] nested(int field, byte[] message) {
        return concat(new byte[] {(byte) (field << 3 | 2), (byte) message.length}, message);
    }

    private static byte[] concat(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    private void write(String name, int type, List<byte[]> messages) throws IOException {
        Path file = folder.resolve(name);
        ImageFile.write(file, type, messages);
        images.add(file);
    }

    private static byte[] message(long... fieldsAndValues) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = 0; i < fieldsAndValues.length; i += 2) {
            WireMessage.write(out, (int) fieldsAndValues[i], fieldsAndValues[i + 1]);
        }
        return out.toByteArray();
    }

    List<Path> images() {
        return images;
    }

    ImageCut cut() {
        return new ImageCutter(folder, images).cut();
    }
}
