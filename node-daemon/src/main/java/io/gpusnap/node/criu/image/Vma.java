package io.gpusnap.node.criu.image;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A mapping as {@code mm-<pid>.img} has it.
 *
 * @param protection PROT_ bits
 * @param flags MAP_ bits
 * @param status CRIU's own bits
 */
record Vma(Range range, long protection, long flags, long status) {

    private static final int VMAS = 14;
    private static final int START = 1;
    private static final int END = 2;
    private static final int PROTECTION = 5;
    private static final int FLAGS = 6;
    private static final int STATUS = 7;

    private static final long READ_WRITE = 0x3;
    private static final long MAP_PRIVATE_ANONYMOUS = 0x22;
    private static final long MAP_GROWSDOWN = 0x100;
    private static final long MAP_HUGETLB = 0x40000;
    private static final long REGULAR_PRIVATE_ANONYMOUS = 1 | 1 << 9;
    private static final long HEAP = 1 << 5;

    static List<Vma> read(Path file) throws IOException, StrangeImageException {
        List<byte[]> messages = ImageFile.read(file, ImageFile.MM);
        if (messages.size() != 1) {
            throw new StrangeImageException(file.getFileName() + " has " + messages.size() + " messages");
        }
        List<Vma> vmas = new ArrayList<>();
        for (WireMessage vma : WireMessage.parse(messages.getFirst()).nested(VMAS)) {
            vmas.add(new Vma(
                    new Range(vma.required(START), vma.required(END)),
                    vma.required(PROTECTION),
                    vma.required(FLAGS),
                    vma.required(STATUS)));
        }
        return vmas;
    }

    /** Memory that the process alone has, that CRIU maps again empty, and that may be written to from outside. */
    boolean isPlainMemory() {
        return (protection & READ_WRITE) == READ_WRITE
                && (flags & MAP_PRIVATE_ANONYMOUS) == MAP_PRIVATE_ANONYMOUS
                && (flags & (MAP_GROWSDOWN | MAP_HUGETLB)) == 0
                && (status & ~HEAP) == REGULAR_PRIVATE_ANONYMOUS;
    }
}
