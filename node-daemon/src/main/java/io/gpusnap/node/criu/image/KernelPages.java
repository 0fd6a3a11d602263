package io.gpusnap.node.criu.image;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Pages that the kernel itself writes to as soon as CRIU has restored a thread: there it keeps the number of the CPU that the
 * thread runs on (restartable sequences). What a dump has of them is old by then, and must not be written over the new.
 */
final class KernelPages {

    private static final Pattern CORE = Pattern.compile("core-[0-9]{1,9}\\.img");
    private static final int THREAD = 5;
    private static final int RSEQ = 15;
    private static final int RSEQ_ADDRESS = 1;

    private KernelPages() {}

    /** Of all threads of all tasks: few enough to leave such an address to CRIU in every task. */
    static NavigableSet<Long> read(List<Path> images) throws IOException, StrangeImageException {
        NavigableSet<Long> pages = new TreeSet<>();
        int threads = 0;
        for (Path image : images) {
            if (CORE.matcher(image.getFileName().toString()).matches()) {
                threads++;
                List<byte[]> messages = ImageFile.read(image, ImageFile.CORE);
                if (messages.size() != 1) {
                    throw new StrangeImageException(image.getFileName() + " has " + messages.size() + " messages");
                }
                for (WireMessage thread : WireMessage.parse(messages.getFirst()).nested(THREAD)) {
                    for (WireMessage rseq : thread.nested(RSEQ)) {
                        pages.add(rseq.required(RSEQ_ADDRESS) & -PageMap.PAGE_BYTES);
                    }
                }
            }
        }
        if (threads == 0) {
            throw new StrangeImageException("it names no thread");
        }
        return pages;
    }
}
