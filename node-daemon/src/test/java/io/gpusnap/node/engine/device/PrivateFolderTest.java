package io.gpusnap.node.engine.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrivateFolderTest {

    private static final int STRANGER = 1000;

    @TempDir
    Path folder;

    @Test
    void whatIsMissingIsMadeForItsOwnerOnly() throws Exception {
        Path made = folder.resolve("node/scratch");

        PrivateFolder.prepare("scratch.dir", made);
        PrivateFolder.prepare("scratch.dir", made);

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made)))
                .isEqualTo("rwx------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made.getParent())))
                .isEqualTo("rwx------");
    }

    @Test
    void aStickyPlaceForAllIsFineAboveButNotItself() throws Exception {
        Path shared = Files.createDirectory(folder.resolve("shm"));
        Files.setAttribute(shared, "unix:mode", 01777);

        assertThatCode(() -> PrivateFolder.prepare("scratch.dir", shared.resolve("gpusnap/scratch")))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> PrivateFolder.prepare("scratch.dir", shared))
                .isInstanceOf(UnsafeFolderException.class)
                .hasMessageContaining("scratch.dir " + shared)
                .hasMessageContaining("mode 1777")
                .hasMessageContaining("chmod go-w");
    }

    @Test
    void aPlaceWhereOthersCanRenameIsRefusedAlsoAbove() throws Exception {
        Path shared = Files.createDirectory(folder.resolve("shared"));
        Files.setAttribute(shared, "unix:mode", 0777);

        assertThatThrownBy(() -> PrivateFolder.prepare("scratch.dir", shared.resolve("scratch")))
                .isInstanceOf(UnsafeFolderException.class)
                .hasMessageContaining(shared + " can be written to by other users (mode 0777)");
    }

    @Test
    void aFolderThatAnotherUserMadeFirstIsRefused() throws Exception {
        Path theirs = strangers(Files.createDirectory(folder.resolve("gpusnap-node")));

        assertThatThrownBy(() -> PrivateFolder.prepare("scratch.dir", theirs))
                .isInstanceOf(UnsafeFolderException.class)
                .hasMessageContaining("it belongs to uid 1000");
        assertThatThrownBy(() -> PrivateFolder.prepareFor("memory.poolPath", theirs.resolve("deeper/pool")))
                .isInstanceOf(UnsafeFolderException.class)
                .hasMessageContaining("memory.poolPath")
                .hasMessageContaining(theirs + " belongs to uid 1000");
        assertThat(theirs).isEmptyDirectory();
    }

    @Test
    void aLinkIsNeverTheFolderItself() throws Exception {
        Path target = Files.createDirectory(folder.resolve("target"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), target);

        assertThatThrownBy(() -> PrivateFolder.prepare("scratch.dir", link))
                .isInstanceOf(UnsafeFolderException.class)
                .hasMessageContaining("it is not a real folder");
    }

    @Test
    void onTheWayOnlyALinkOfRootOrOursIsFollowed() throws Exception {
        Path target = Files.createDirectory(folder.resolve("target"));
        Path ours = Files.createSymbolicLink(folder.resolve("ours"), target);
        PrivateFolder.prepare("scratch.dir", ours.resolve("scratch"));
        assertThat(target.resolve("scratch")).isDirectory();

        Path theirs = Files.createSymbolicLink(folder.resolve("theirs"), target);
        Files.setAttribute(theirs, "unix:uid", strangerAsRoot(), LinkOption.NOFOLLOW_LINKS);
        assertThatThrownBy(() -> PrivateFolder.prepare("scratch.dir", theirs.resolve("scratch")))
                .isInstanceOf(UnsafeFolderException.class)
                .hasMessageContaining(theirs + " belongs to uid 1000");
    }

    @Test
    void aPoolFileMustBeOursAlone() throws Exception {
        Path pool = Files.createFile(folder.resolve("pool"));
        PrivateFolder.prepareFor("memory.poolPath", pool);

        Files.setAttribute(pool, "unix:mode", 0660);
        assertThatThrownBy(() -> PrivateFolder.prepareFor("memory.poolPath", pool))
                .isInstanceOf(UnsafeFolderException.class)
                .hasMessageContaining("memory.poolPath " + pool)
                .hasMessageContaining("mode 0660");

        Files.delete(pool);
        Files.createSymbolicLink(pool, folder.resolve("elsewhere"));
        assertThatThrownBy(() -> PrivateFolder.prepareFor("memory.poolPath", pool))
                .isInstanceOf(UnsafeFolderException.class)
                .hasMessageContaining("not a regular file");
    }

    private static Path strangers(Path path) throws Exception {
        Files.setAttribute(path, "unix:uid", strangerAsRoot());
        return path;
    }

    private static int strangerAsRoot() {
        assumeTrue("root".equals(System.getProperty("user.name")), "only root can give files to another user");
        return STRANGER;
    }
}
