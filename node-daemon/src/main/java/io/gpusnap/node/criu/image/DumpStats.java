package io.gpusnap.node.criu.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Where the time of a dump went, as CRIU itself says it: its {@code stats-dump} (dump_stats_entry of its stats.proto).
 *
 * @param freezing until every thread stood still
 * @param frozen that they stood still for
 * @param memory of that, for taking out what memory holds and writing it
 * @param writing of that, for writing it to files, which is where pages of scratch are made
 * @param pages of 4 KiB that were written
 */
public record DumpStats(Duration freezing, Duration frozen, Duration memory, Duration writing, long pages) {

    private static final String FILE = "stats-dump";
    private static final int DUMP = 1;
    private static final int FREEZING = 1;
    private static final int FROZEN = 2;
    private static final int MEMORY = 3;
    private static final int WRITING = 4;
    private static final int PAGES_WRITTEN = 7;

    /** Empty where CRIU left none that can be read: nothing but a figure is lost. */
    public static Optional<DumpStats> in(Path images) {
        Path file = images.resolve(FILE);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            List<byte[]> messages = ImageFile.readStats(file);
            if (messages.isEmpty()) {
                return Optional.empty();
            }
            List<WireMessage> dumps = WireMessage.parse(messages.getFirst()).nested(DUMP);
            return dumps.isEmpty() ? Optional.empty() : Optional.of(of(dumps.getFirst()));
        } catch (IOException | StrangeImageException e) {
            return Optional.empty();
        }
    }

    private static DumpStats of(WireMessage dump) throws StrangeImageException {
        return new DumpStats(
                micros(dump, FREEZING),
                micros(dump, FROZEN),
                micros(dump, MEMORY),
                micros(dump, WRITING),
                dump.required(PAGES_WRITTEN));
    }

    private static Duration micros(WireMessage dump, int field) throws StrangeImageException {
        return Duration.ofNanos(dump.required(field) * 1000);
    }
}
