package io.gpusnap.node.operation;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Lines that survive a crash. Each is {@code <CRC32C as 8 hex digits> <text>\n}, synced before {@link #append} returns. A
 * last line that a crash tore is cut off on opening; a bad line before others is damage that no crash explains, and is
 * reported.
 */
final class JournalFile implements AutoCloseable {

    private static final int CHECKSUM_LENGTH = 9;

    private final Path path;
    /** Not a channel: interrupting a thread closes a channel under everybody else. */
    private final RandomAccessFile file;

    private final List<String> linesAtOpening = new ArrayList<>();
    private long goodBytes;

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

    void append(String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        byte[] line = (checksum(body) + " " + text + "\n").getBytes(StandardCharsets.UTF_8);
        // An earlier append may have failed half-way, on a full disk: its rest must not become a torn line in the
        // middle.
        if (file.length() != goodBytes) {
            file.setLength(goodBytes);
        }
        file.seek(goodBytes);
        file.write(line);
        file.getFD().sync();
        goodBytes += line.length;
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    private void readAll() throws IOException {
        byte[] content = Files.readAllBytes(path);
        int start = 0;
        while (start < content.length) {
            int end = start;
            while (end < content.length && content[end] != '\n') {
                end++;
            }
            boolean last = end >= content.length - 1;
            String line = new String(content, start, end - start, StandardCharsets.UTF_8);
            if (end == content.length || !intact(line)) {
                if (!last) {
                    throw new IOException(
                            path + " is damaged at byte " + start + ": checksum of a line does not match");
                }
                break;
            }
            linesAtOpening.add(line.substring(CHECKSUM_LENGTH));
            start = end + 1;
        }
        goodBytes = start;
    }

    private static boolean intact(String line) {
        return line.length() > CHECKSUM_LENGTH
                && line.substring(0, CHECKSUM_LENGTH - 1)
                        .equals(checksum(line.substring(CHECKSUM_LENGTH).getBytes(StandardCharsets.UTF_8)));
    }

    private static String checksum(byte[] body) {
        CRC32C crc = new CRC32C();
        crc.update(body);
        return String.format("%08x", crc.getValue());
    }
}
