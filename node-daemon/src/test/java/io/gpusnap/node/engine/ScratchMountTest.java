package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gpusnap.gpu.MemoryFileSystem;
import io.gpusnap.node.engine.device.RebuildablePolicy;
import io.gpusnap.node.engine.device.StoragePolicy;
import io.gpusnap.node.file.Folders;
import io.gpusnap.node.process.Mount;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.tier.Quarantine;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** With real mounts. */
class ScratchMountTest {

    private static final ProcFs PROC = new ProcFs();
    private static final int SELF = (int) ProcessHandle.current().pid();
    private static final Capability OFF =
            new Capability(ScratchMount.CAPABILITY, false, "switched off (scratch.hugePages = false)");

    private Path folder;
    private Path scratch;

    @BeforeEach
    void make() throws Exception {
        folder = Path.of("/dev/shm/gpusnap-test/mount-" + UUID.randomUUID());
        // A name that the kernel's table escapes.
        scratch = Files.createDirectories(folder.resolve("scratch of a node"));
        Files.createFile(folder.resolve("pool"));
    }

    @AfterEach
    void takeDown() throws Exception {
        while (!mounts().isEmpty()) {
            MemoryFileSystem.unmount(scratch);
        }
        Folders.delete(folder);
    }

    @Test
    void scratchGetsATmpfsOfItsOwnThatGoesWhenItIsEmpty() throws Exception {
        requireMounts();
        // when
        try (ScratchMount mount = open(true)) {
            // then
            assertThat(mount.capability().available())
                    .as(mount.capability().reason())
                    .isTrue();
            assertThat(mount.capability().reason()).contains("tmpfs at " + scratch, "huge=");
            assertThat(mounts()).singleElement().satisfies(one -> {
                assertThat(one.type()).isEqualTo("tmpfs");
                assertThat(one.source()).isEqualTo("gpusnap-scratch");
                assertThat(one.options()).contains("huge=within_size");
            });
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(scratch)))
                    .isEqualTo("rwx------");
            Scratch.make(scratch.resolve("operation"));
            Folders.delete(scratch.resolve("operation"));
        }
        assertThat(mounts()).isEmpty();
        assertThat(scratch).isEmptyDirectory();
    }

    @Test
    void itMayTakeWhatThePoolLeavesOfTheTmpfsBelow() throws Exception {
        requireMounts();
        long below = Files.getFileStore(scratch).getTotalSpace();
        try (ScratchMount mount = open(true)) {
            assertThat(mount.capability().available()).isTrue();
            assertThat(Files.getFileStore(scratch).getTotalSpace())
                    .isEqualTo(below - settings(true).poolBytes());
        }
    }

    @Test
    void whatAKilledDaemonLeftIsTakenAsItIsAndImagesStay() throws Exception {
        requireMounts();
        // given a daemon that ended without closing anything
        open(true);
        Path image = Files.writeString(scratch.resolve("pages-1.img"), "pages");
        // when
        ScratchMount next = open(true);
        // then
        assertThat(next.capability().available()).isTrue();
        assertThat(mounts()).hasSize(1);
        assertThat(image).hasContent("pages");
        next.close();
        assertThat(image).hasContent("pages");

        Files.delete(image);
        next.close();
        assertThat(mounts()).isEmpty();
    }

    @Test
    void imagesBelowAreNotHidden() throws Exception {
        Path image = Files.writeString(scratch.resolve("pages-1.img"), "pages");
        try (ScratchMount mount = open(true)) {
            assertThat(mount.capability().available()).isFalse();
            assertThat(mount.capability().reason()).contains("is not empty");
            assertThat(image).hasContent("pages");
        }
        assertThat(mounts()).isEmpty();
    }

    @Test
    void whereItIsRefusedTheFolderServesAsItIs() throws Exception {
        try (ScratchMount mount = ScratchMount.open(settings(true), refusing())) {
            assertThat(mount.capability().available()).isFalse();
            assertThat(mount.capability().reason())
                    .startsWith("cannot mount a tmpfs with mode=0700,huge=")
                    .contains(scratch + ": it takes CAP_SYS_ADMIN")
                    .endsWith("(or set scratch.hugePages = false)");
            Scratch.make(scratch.resolve("operation"));
        }
        assertThat(scratch.resolve("operation")).isEmptyDirectory();
        assertThat(mounts()).isEmpty();
    }

    @Test
    void whatIsStillInUseStaysMounted() throws Exception {
        requireMounts();
        ScratchMount mount = open(true);
        try (FileChannel unnamed = FileChannel.open(
                scratch.resolve("image"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE,
                StandardOpenOption.DELETE_ON_CLOSE)) {
            // when its name is gone but not its memory
            assertThat(scratch).isEmptyDirectory();
            mount.close();
            // then
            assertThat(mounts()).hasSize(1);
            assertThat(open(false).capability()).isEqualTo(OFF); // nor does it stop a start
            assertThat(mounts()).hasSize(1);
            assertThat(unnamed.isOpen()).isTrue();
        }
        mount.close();
        assertThat(mounts()).isEmpty();
    }

    @Test
    void switchedOffItTakesDownWhatIsOursAndEmpty() throws Exception {
        requireMounts();
        open(true);
        Path image = Files.createFile(scratch.resolve("image"));
        assertThat(open(false).capability()).isEqualTo(OFF);
        assertThat(mounts()).hasSize(1);

        Files.delete(image);
        assertThat(open(false).capability()).isEqualTo(OFF);
        assertThat(mounts()).isEmpty();
    }

    @Test
    void anAdministratorsMountIsUsedAndStays() throws Exception {
        requireMounts();
        MemoryFileSystem.mount("theirs", scratch, "size=8m,mode=0700,huge=always");
        try (ScratchMount mount = open(true)) {
            assertThat(mount.capability().available()).isTrue();
            assertThat(mount.capability().reason()).contains("huge=always");
        }
        open(false).close();
        assertThat(mounts())
                .singleElement()
                .satisfies(one -> assertThat(one.source()).isEqualTo("theirs"));
    }

    @Test
    void toLookMountsNothing() throws Exception {
        requireMounts();
        assertThat(ScratchMount.look(settings(false))).isEqualTo(OFF);
        assertThat(ScratchMount.look(settings(true)))
                .isEqualTo(
                        new Capability(ScratchMount.CAPABILITY, true, "mounted at " + scratch + " once there is work"));
        assertThat(mounts()).isEmpty();
        try (ScratchMount mount = open(true)) {
            assertThat(ScratchMount.look(settings(true))).isEqualTo(mount.capability());
        }
    }

    private static void requireMounts() {
        assumeTrue(
                PROC.status(SELF, "CapEff")
                        .filter(set -> (Long.parseUnsignedLong(set, 16) >> 21 & 1) == 1)
                        .isPresent(),
                "to mount a file system takes CAP_SYS_ADMIN");
    }

    private ScratchMount open(boolean hugePages) throws IOException {
        return ScratchMount.open(settings(hugePages), Mounter.SYSTEM);
    }

    private List<Mount> mounts() {
        String point = scratch.toString().replace(" ", "\\040");
        return PROC.mounts(SELF).stream()
                .filter(one -> one.point().equals(point))
                .toList();
    }

    private static Mounter refusing() {
        return new Mounter() {
            @Override
            public void mount(String source, Path folder, String options) throws IOException {
                throw new FileSystemException(folder.toString(), null, "it takes CAP_SYS_ADMIN");
            }

            @Override
            public void unmount(Path folder) {
                throw new AssertionError("nothing was mounted");
            }
        };
    }

    private EngineSettings settings(boolean hugePages) {
        return new EngineSettings(
                folder.resolve("state"),
                folder.resolve("nvme"),
                0,
                EngineSettings.NVME_SWEEP_PERIOD,
                Quarantine.Limits.DEFAULT,
                folder.resolve("pool"),
                16L << 20,
                scratch,
                hugePages,
                Optional.empty(),
                folder.resolve("native"),
                Optional.empty(),
                1,
                RebuildablePolicy.none(),
                StoragePolicy.never(),
                SharedTiers.none(),
                AheadPolicy.DEFAULT,
                EngineSettings.DRIVER_CALL_LIMIT);
    }
}
