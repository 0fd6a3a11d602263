package io.gpusnap.node.criu.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.criu.CriuRunner;
import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessTree;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real process with large variables, dumped, cut and restored by CRIU. */
class RealDumpTest {

    /** A shell that holds some 40 MB of text and waits at a pipe of its own. */
    private static final String HOLDER = "x=$(head -c 30000000 /dev/urandom | od -An -v -tx4 | head -c 40000000); "
            + "mkfifo wait; exec 3<>wait; : > ready; read answer <&3; printf %s \"$x\" > kept";

    @TempDir
    Path folder;

    private final ProcFs proc = new ProcFs();
    private ProcessId process;

    @AfterEach
    void end() throws Exception {
        if (process != null) {
            new ProcessTree(proc).end(process);
        }
    }

    @Test
    void aCutDumpIsRestoredAndFilledToWhatItWas() throws Exception {
        CriuRunner criu = TestCriu.require();
        // given
        Process started = new ProcessBuilder("setsid", "/bin/sh", "-c", HOLDER)
                .directory(folder.toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("log").toFile())
                .start();
        Awaitility.await().until(() -> Files.exists(folder.resolve("ready")));
        process = proc.stat((int) started.pid()).orElseThrow().id();
        Path dump = Files.createDirectory(folder.resolve("dump"));
        criu.dump(process.pid(), dump, false);
        assertThat(DumpStats.in(dump)).hasValueSatisfying(stats -> {
            assertThat(stats.pages()).isGreaterThan(30_000_000 / 4096);
            assertThat(stats.freezing()).isPositive();
            assertThat(stats.writing()).isPositive().isLessThan(stats.memory());
            assertThat(stats.memory()).isLessThan(stats.frozen());
        });
        ImageCut cut = new ImageCutter(dump, images(dump)).cut();
        Map<CutRun, byte[]> saved = new HashMap<>();
        for (CutArea area : cut.areas()) {
            for (CutBlock block : area.blocks()) {
                for (CutRun run : block.runs()) {
                    byte[] content = memory(run);
                    assertThat(content).isEqualTo(read(area.pages(), run.offset(), run.sizeBytes()));
                    saved.put(run, content);
                }
            }
        }
        assertThat(KernelPages.read(images(dump)))
                .as("where the kernel keeps the thread's CPU")
                .hasSize(1);
        assertThat(cut.areas()).isNotEmpty().allMatch(area -> area.taskId() == process.pid());
        assertThat(size(cut.files())).isLessThan(size(images(dump)) / 2);
        new ProcessTree(proc).end(process);
        Awaitility.await().until(() -> proc.stat(process.pid()).isEmpty());
        // when
        Path again = Files.createDirectory(folder.resolve("again"));
        for (Path file : cut.files()) {
            Files.copy(file, again.resolve(file.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
        }
        int pid = criu.restore(again, false);
        process = proc.stat(pid).orElseThrow().id();
        // then the areas are there, and empty
        for (CutRun run : saved.keySet()) {
            assertThat(memory(run)).containsOnly(0);
            try (FileChannel memory = FileChannel.open(proc.of(pid).resolve("mem"), StandardOpenOption.WRITE)) {
                ByteBuffer bytes = ByteBuffer.wrap(saved.get(run));
                while (bytes.hasRemaining()) {
                    memory.write(bytes, run.address() + bytes.position());
                }
            }
        }
        // when it goes on
        new ProcessTree(proc).resume(process);
        Files.writeString(folder.resolve("wait"), "go\n");
        // then it still has what it had
        Awaitility.await().until(() -> !proc.isAlive(process));
        String kept = Files.readString(folder.resolve("kept"));
        assertThat(kept).hasSize(40_000_000).matches(text -> contains(saved.values(), text));
    }

    /** What left the process by its own hand is what lay in the areas. */
    private static boolean contains(Iterable<byte[]> areas, String text) {
        for (byte[] area : areas) {
            String middle = new String(area, area.length / 2, 1000, StandardCharsets.ISO_8859_1);
            if (!text.contains(middle)) {
                return false;
            }
        }
        return true;
    }

    private byte[] memory(CutRun run) throws IOException {
        return read(proc.of(process.pid()).resolve("mem"), run.address(), run.sizeBytes());
    }

    private static byte[] read(Path file, long position, long sizeBytes) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate((int) sizeBytes);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            while (bytes.hasRemaining() && channel.read(bytes, position + bytes.position()) > 0) {}
        }
        return bytes.array();
    }

    private static List<Path> images(Path dump) throws IOException {
        List<Path> images = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(dump, "*.img")) {
            files.forEach(images::add);
        }
        return images;
    }

    private static long size(List<Path> files) throws IOException {
        long size = 0;
        for (Path file : files) {
            size += Files.size(file);
        }
        return size;
    }
}
