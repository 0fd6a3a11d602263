package io.gpusnap.node.criu.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * Which pages of a process are in its pages file, and where: {@code pagemap-<pid>.img}.
 *
 * @param pagesId number of the pages file
 */
record PageMap(byte[] head, long pagesId, List<Entry> entries) {

    static final long PAGE_BYTES = 4096;

    private static final int PAGES_ID = 1;
    private static final int ADDRESS = 1;
    private static final int COUNT_OF_OLD = 2;
    private static final int IN_PARENT = 3;
    private static final int FLAGS = 4;
    private static final int COUNT = 5;
    /** In the pages file, and nowhere else; CRIU may also call it fit for lazy restoring. */
    private static final long PRESENT = 1 << 2;

    private static final long LAZY = 1 << 1;

    /**
     * @param offset of its first page in the pages file
     * @param longCount the number of pages is in the field of newer versions
     */
    record Entry(Range range, long offset, long flags, boolean longCount) {

        private byte[] write(Range part) {
            long pages = part.sizeBytes() / PAGE_BYTES;
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            WireMessage.write(out, ADDRESS, part.start());
            WireMessage.write(out, COUNT_OF_OLD, longCount ? 0 : pages);
            WireMessage.write(out, FLAGS, flags);
            if (longCount) {
                WireMessage.write(out, COUNT, pages);
            }
            return out.toByteArray();
        }
    }

    /** @throws StrangeImageException also when some pages are not in the pages file */
    static PageMap read(Path file) throws IOException, StrangeImageException {
        List<byte[]> messages = ImageFile.read(file, ImageFile.PAGEMAP);
        if (messages.isEmpty()) {
            throw new StrangeImageException(file.getFileName() + " is empty");
        }
        List<Entry> entries = new ArrayList<>();
        long offset = 0;
        long last = 0;
        for (byte[] bytes : messages.subList(1, messages.size())) {
            Entry entry = entry(WireMessage.parse(bytes), offset);
            if (entry.range().start() < last || entry.range().isEmpty()) {
                throw new StrangeImageException(file.getFileName() + " has entries out of order");
            }
            entries.add(entry);
            offset += entry.range().sizeBytes();
            last = entry.range().end();
        }
        return new PageMap(
                messages.getFirst(), WireMessage.parse(messages.getFirst()).required(PAGES_ID), entries);
    }

    private static Entry entry(WireMessage message, long offset) throws StrangeImageException {
        long flags = message.required(FLAGS);
        if (!message.hasOnlyNumbers(COUNT) || message.number(IN_PARENT).orElse(0) != 0 || (flags & ~LAZY) != PRESENT) {
            throw new StrangeImageException("pages that are not plainly in the image, flags " + flags);
        }
        OptionalLong count = message.number(COUNT);
        long pages = count.isPresent() ? count.getAsLong() : message.required(COUNT_OF_OLD);
        long start = message.required(ADDRESS);
        if (start < 0 || start % PAGE_BYTES != 0 || pages <= 0 || pages > (Long.MAX_VALUE - start) / PAGE_BYTES) {
            throw new StrangeImageException("an entry of %d pages at 0x%x".formatted(pages, start));
        }
        return new Entry(new Range(start, start + pages * PAGE_BYTES), offset, flags, count.isPresent());
    }

    long sizeBytes() {
        return entries.stream().mapToLong(entry -> entry.range().sizeBytes()).sum();
    }

    /**
     * The same without some ranges, and what of the pages file is left, in order, as offsets.
     *
     * @param cuts in order, none overlaps another
     */
    Rest without(List<Range> cuts) {
        List<byte[]> messages = new ArrayList<>(List.of(head));
        List<Range> kept = new ArrayList<>();
        int cut = 0;
        for (Entry entry : entries) {
            long from = entry.range().start();
            while (cut < cuts.size() && cuts.get(cut).end() <= from) {
                cut++;
            }
            for (int i = cut;
                    i < cuts.size() && cuts.get(i).start() < entry.range().end();
                    i++) {
                Range common = cuts.get(i).common(entry.range());
                keep(entry, new Range(from, common.start()), messages, kept);
                from = common.end();
            }
            keep(entry, new Range(from, entry.range().end()), messages, kept);
        }
        return new Rest(messages, kept);
    }

    private static void keep(Entry entry, Range part, List<byte[]> messages, List<Range> kept) {
        if (!part.isEmpty()) {
            long offset = entry.offset() + part.start() - entry.range().start();
            messages.add(entry.write(part));
            boolean goesOn = !kept.isEmpty() && kept.getLast().end() == offset;
            long start = goesOn ? kept.removeLast().start() : offset;
            kept.add(new Range(start, offset + part.sizeBytes()));
        }
    }

    /** @param kept ranges of the pages file */
    record Rest(List<byte[]> messages, List<Range> kept) {

        long sizeBytes() {
            return kept.stream().mapToLong(Range::sizeBytes).sum();
        }
    }
}
