package io.gpusnap.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What the demo measured, as {@code build/demo/report.json}.
 *
 * @param coldStartSeconds from starting the process to its first answer
 * @param saveSeconds from asking for the snapshot to READY
 * @param pauseSeconds how long the workload stood still while it was saved
 * @param thawSeconds from asking for the restore to the first answer
 * @param answersEqual the thawed process answered what the frozen one would have
 * @param engine {@code criu+cuda} or {@code suspend}
 * @param simulatedDriver true where no GPU took part
 * @param storedBytes bytes that the first snapshot added to the store
 * @param secondSnapshotStoredRatio bytes that a second snapshot added, by the first one's
 * @param s3PushSeconds from asking for a copy in the bucket until it was there; empty for a process that was only suspended
 * @param s3ThawSeconds from asking for the restore, on a node that has nothing, to the first answer; empty likewise
 */
record Report(
        double coldStartSeconds,
        double saveSeconds,
        double pauseSeconds,
        double thawSeconds,
        boolean answersEqual,
        String engine,
        boolean simulatedDriver,
        long vramBytes,
        long hostBytes,
        long storedBytes,
        long chunksTotal,
        long chunksStored,
        double secondSnapshotStoredRatio,
        Optional<Double> s3PushSeconds,
        Optional<Double> s3ThawSeconds) {

    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    void write(Path file) {
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(file, JSON.writeValueAsString(this) + System.lineSeparator());
        } catch (IOException e) {
            throw new DemoFailure("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    String table() {
        return """
                  cold start to first answer     %10s
                  save, until READY              %10s   (workload stood still %s)
                  thaw to first answer           %10s   (%.1f times faster than a cold start)
                  answers                             %s
                  engine                              %s
                  device memory                  %10s
                  host memory image              %10s
                  stored                         %10s   (%d of %d chunks)
                  second snapshot stored         %10s   of the first one's bytes
                  copied into S3                 %10s
                  thaw from S3 to first answer   %10s   (on a node that had nothing)
                """.formatted(
                Units.seconds(coldStartSeconds),
                Units.seconds(saveSeconds),
                Units.seconds(pauseSeconds),
                Units.seconds(thawSeconds),
                coldStartSeconds / thawSeconds,
                answersEqual ? "equal" : "DIFFERENT",
                engine + (simulatedDriver ? ", simulated CUDA driver" : ""),
                Units.bytes(vramBytes),
                Units.bytes(hostBytes),
                Units.bytes(storedBytes),
                chunksStored,
                chunksTotal,
                Units.percent(secondSnapshotStoredRatio),
                s3PushSeconds.map(Units::seconds).orElse("not tried"),
                s3ThawSeconds.map(Units::seconds).orElse("not tried")).stripTrailing();
    }
}
