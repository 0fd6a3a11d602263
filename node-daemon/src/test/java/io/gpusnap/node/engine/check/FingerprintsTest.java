package io.gpusnap.node.engine.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class FingerprintsTest {

    private static final String SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    @TempDir
    Path folder;

    private final Fingerprints fingerprints = new Fingerprints();

    @Test
    void aFileIsKnownByItsContentUnderARoot() throws Exception {
        Files.writeString(folder.resolve("lib.so"), "abc");

        assertThat(fingerprints
                        .of("libcuda", folder.toString(), "/lib.so")
                        .orElseThrow()
                        .sha256())
                .isEqualTo(SHA256_OF_ABC);
        assertThat(fingerprints
                        .of("libcuda", "", folder + "/lib.so")
                        .orElseThrow()
                        .sizeBytes())
                .isEqualTo(3);
    }

    @Test
    void aContentWithItsTimeSetBackIsReadAgain() throws Exception {
        Path file = Files.writeString(folder.resolve("lib.so"), "xyz");
        var time = Files.getLastModifiedTime(file);
        fingerprints.of("libcuda", "", file.toString());

        Files.writeString(file, "abc");
        Files.setLastModifiedTime(file, time);

        assertThat(fingerprints.of("libcuda", "", file.toString()).orElseThrow().sha256())
                .isEqualTo(SHA256_OF_ABC);
    }

    @Test
    @Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void aPipeIsNotWaitedFor() throws Exception {
        assertThat(new ProcessBuilder("mkfifo", folder.resolve("pipe").toString())
                        .start()
                        .waitFor())
                .isZero();

        assertThat(fingerprints.of("executable", folder.toString(), "/pipe")).isEmpty();
        assertThat(fingerprints.of("executable", "", folder + "/pipe")).isEmpty();
    }

    @Test
    void aLinkUnderAnotherRootDoesNotLeadToOurs() throws Exception {
        Path ours = Files.writeString(folder.resolve("ours"), "abc");
        Path root = Files.createDirectory(folder.resolve("root"));
        Files.createSymbolicLink(root.resolve("lib.so"), ours);
        Files.createSymbolicLink(root.resolve("lib"), folder);

        assertThat(fingerprints.of("libcuda", root.toString(), "/lib.so")).isEmpty();
        assertThat(fingerprints.of("libcuda", root.toString(), "/lib/ours")).isEmpty();
    }

    @Test
    void aProcessInAnotherMountNamespaceIsReadWhereItIs() throws Exception {
        Path place = Files.createDirectory(folder.resolve("place"));
        Files.writeString(place.resolve("lib.so"), "the node's");
        Process process = new ProcessBuilder(
                        "unshare",
                        "--mount",
                        "sh",
                        "-c",
                        "mount -t tmpfs none " + place + " && printf abc > " + place
                                + "/lib.so && echo ready && exec sleep 60")
                .start();
        try {
            boolean ready = "ready".equals(process.inputReader().readLine());
            assumeTrue(ready, "mount namespaces cannot be made here (needs root and CAP_SYS_ADMIN)");

            Optional<?> seen = fingerprints
                    .of("libcuda", "/proc/" + process.pid() + "/root", place + "/lib.so")
                    .map(library -> library.sha256());

            assertThat(seen.orElseThrow()).isEqualTo(SHA256_OF_ABC);
        } finally {
            process.destroyForcibly().waitFor(Duration.ofSeconds(10).toMillis(), TimeUnit.MILLISECONDS);
        }
    }
}
