package io.gpusnap.node.operation;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * Lines that survive a crash, each {@code <CRC32C as 8 hex digits>@<durable> <text>\n}. An appended line survives the
 * daemon; it survives the machine from the next line on that is appended durably. {@code durable} says up to which byte, in
 * hex, the file was on the disk when the line was written.
 *
 * <p>So on opening, damage tells what made it. A crash of the machine may tear or lose any of the lines that no later line
 * calls durable, in any order: the file is cut off before the first of them that is not whole. A bad line that a later one
 * calls durable is damage that no crash explains, and is reported. (Lines of earlier versions have a space in place of the
 * mark and were synced one by one.)
 */
final class JournalFile implements AutoCloseable {

    private static final int CHECKSUM_LENGTH = 8;
    private static final char MARK = '@';
    private static final char EACH_SYNCED = ' ';

    private record Line(long durableBytes, String text) {}

    private final Path path;
    /** Not a channel: interrupting a thread closes a channel under everybody else. */
    private final RandomAccessFile file;

    private final List<String> linesAtOpening = new ArrayList<>();
    private long durableBytes;
    /** The whole lines behind what is durable. */
    private final ByteArrayOutputStream unsynced = new ByteArrayOutputStream();
    /** The system may have forgotten that unsynced lines are not on the disk. */
    private boolean syncFailed;

    private JournalFile(Path path, RandomAccessFile file) {
        this.path = path;
        this.file = file;
    }

    static JournalFile open(Path path) throws IOException {
        RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw");
        try {
            JournalFile journal = new JournalFile(path, file);
            journal.readAll();
            return journal;
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    List<String> linesAtOpening() {
        return linesAtOpening;
    }

    /** The line is there whole, or not at all if this throws. */
    void append(String text) throws IOException {
        byte[] line = line(text);
        write(line);
        unsynced.writeBytes(line);
    }

    /** As {@link #append}; and the line and all before it are on the disk when this returns. */
    void appendDurably(String text) throws IOException {
        byte[] line = line(text);
        write(line);
        try {
            file.getFD().sync();
        } catch (IOException e) {
            syncFailed = true;
            throw e;
        }
        durableBytes += unsynced.size() + line.length;
        unsynced.reset();
    }

    private byte[] line(String text) {
        String marked = Long.toHexString(durableBytes) + " " + text;
        return (checksum(marked) + MARK + marked + "\n").getBytes(StandardCharsets.UTF_8);
    }

    private void write(byte[] line) throws IOException {
        long goodBytes = durableBytes + unsynced.size();
        // An earlier append may have failed half-way, on a full disk: its rest must not become a torn line in the
        // middle.
        if (file.length() != goodBytes) {
            file.setLength(goodBytes);
        }
        if (syncFailed) {
            file.seek(durableBytes);
            file.write(unsynced.toByteArray());
            syncFailed = false;
        }
        file.seek(goodBytes);
        file.write(line);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    private void readAll() throws IOException {
        byte[] content = Files.readAllBytes(path);
        int good = 0;
        boolean torn = false;
        int start = 0;
        while (start < content.length) {
            int end = start;
            while (end < content.length && content[end] != '\n') {
                end++;
            }
            Optional<Line> line = end == content.length
                    ? Optional.empty()
                    : parse(new String(content, start, end - start, StandardCharsets.UTF_8), start);
            torn |= line.isEmpty();
            if (line.isPresent()) {
                durableBytes = Math.max(durableBytes, line.get().durableBytes());
            }
            if (torn && durableBytes > good) {
                throw new IOException(path + " is damaged at byte " + good + ": checksum of a line does not match");
            }
            start = end + 1;
            if (!torn) {
                linesAtOpening.add(line.orElseThrow().text());
                good = start;
            }
        }
        unsynced.write(content, Math.toIntExact(durableBytes), good - Math.toIntExact(durableBytes));
    }

    /** Empty when the line is not what was written. */
    private static Optional<Line> parse(String line, long start) {
        if (line.length() <= CHECKSUM_LENGTH
                || !line.substring(0, CHECKSUM_LENGTH).equals(checksum(line.substring(CHECKSUM_LENGTH + 1)))) {
            return Optional.empty();
        }
        String body = line.substring(CHECKSUM_LENGTH + 1);
        if (line.charAt(CHECKSUM_LENGTH) == EACH_SYNCED) {
            return Optional.of(new Line(start, body));
        }
        int space = body.indexOf(' ');
        return line.charAt(CHECKSUM_LENGTH) == MARK && space > 0
                ? Optional.of(new Line(Long.parseUnsignedLong(body, 0, space, 16), body.substring(space + 1)))
                : Optional.empty();
    }

    private static String checksum(String body) {
        CRC32C crc = new CRC32C();
        crc.update(body.getBytes(StandardCharsets.UTF_8));
        return String.format("%08x", crc.getValue());
    }
}
