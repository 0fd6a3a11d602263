package io.gpusnap.node.criu.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An image file that holds messages: the common magic, the type's magic, and messages that each follow their size. Little
 * endian on every architecture that CUDA runs on.
 */
final class ImageFile {

    static final int PAGEMAP = 0x56084025;
    static final int MM = 0x57492820;
    static final int CORE = 0x55053847;
    private static final int COMMON = 0x54564319;
    /** Of files that CRIU writes beside an image. */
    private static final int SERVICE = 0x55105940;

    private static final int STATS = 0x57093306;
    private static final int MAX_BYTES = 256 << 20;

    private ImageFile() {}

    static List<byte[]> read(Path file, int type) throws IOException, StrangeImageException {
        return read(file, COMMON, type);
    }

    static List<byte[]> readStats(Path file) throws IOException, StrangeImageException {
        return read(file, SERVICE, STATS);
    }

    private static List<byte[]> read(Path file, int common, int type) throws IOException, StrangeImageException {
        if (Files.size(file) > MAX_BYTES) {
            throw new StrangeImageException(file.getFileName() + " has more than " + MAX_BYTES + " bytes");
        }
        ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        if (content.remaining() < 2 * Integer.BYTES || content.getInt() != common || content.getInt() != type) {
            throw new StrangeImageException(file.getFileName() + " has another magic");
        }
        List<byte[]> messages = new ArrayList<>();
        while (content.hasRemaining()) {
            int size = content.remaining() < Integer.BYTES ? -1 : content.getInt();
            if (size < 0 || size > content.remaining()) {
                throw new StrangeImageException(file.getFileName() + " ends in a message");
            }
            byte[] message = new byte[size];
            content.get(message);
            messages.add(message);
        }
        return messages;
    }

    static void write(Path file, int type, List<byte[]> messages) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(littleEndian(COMMON));
        out.writeBytes(littleEndian(type));
        for (byte[] message : messages) {
            out.writeBytes(littleEndian(message.length));
            out.writeBytes(message);
        }
        Files.write(file, out.toByteArray());
    }

    private static byte[] littleEndian(int value) {
        return ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array();
    }
}
