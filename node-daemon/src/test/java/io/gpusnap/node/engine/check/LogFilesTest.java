package io.gpusnap.node.engine.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.store.Manifest;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogFilesTest {

    private static final Path ROOT = Path.of("/");

    @TempDir
    Path folder;

    @Test
    void aMissingLogIsMadeWithItsLength() throws Exception {
        prepare("w", 1000);
        assertThat(folder.resolve("log")).hasSize(1000);
    }

    @Test
    void aLogThatGrewIsSetAsideAndItsBeginningStays() throws Exception {
        Files.writeString(folder.resolve("log"), "before\nafter\n");
        prepare("w", 7);
        assertThat(folder.resolve("log")).hasContent("before\n");
        assertThat(aside()).singleElement().satisfies(file -> assertThat(file).hasContent("before\nafter\n"));
    }

    @Test
    void aLogThatShrankGetsItsLengthBack() throws Exception {
        Files.writeString(folder.resolve("log"), "new");
        prepare("w", 100);
        assertThat(folder.resolve("log")).hasSize(100);
        assertThat(aside()).singleElement().satisfies(file -> assertThat(file).hasContent("new"));
    }

    @Test
    void whatIsAppendedToOrReadOrFitsIsLeftAlone() throws Exception {
        Files.writeString(folder.resolve("log"), "grown by others");
        prepare("a", 3);
        prepare("r", 3);
        prepare("rw", 3);
        prepare("w", "grown by others".length());
        assertThat(folder.resolve("log")).hasContent("grown by others");
        assertThat(aside()).isEmpty();
    }

    @Test
    void aLinkOnTheWayIsRefusedAndNothingIsMadeBehindIt() throws Exception {
        Path behind = Files.createDirectory(folder.resolve("behind"));
        Files.createSymbolicLink(folder.resolve("way"), behind);

        refused(folder.resolve("way/log"), folder.resolve("way") + " as uid", "is a symbolic link");

        assertThat(behind).isEmptyDirectory();
    }

    @Test
    void aLinkInTheLogsPlaceIsRefused() throws Exception {
        Path other = Files.writeString(folder.resolve("other"), "precious");
        Files.createSymbolicLink(folder.resolve("log"), other);

        refused(folder.resolve("log"), folder.resolve("log") + " as uid", "is a symbolic link");

        assertThat(other).hasContent("precious");
    }

    @Test
    void aFolderWhereStrangersCanRenameIsRefusedUnlessItIsSticky() throws Exception {
        Path shared = Files.createDirectory(folder.resolve("shared"));
        Files.setAttribute(shared, "unix:mode", 0777);
        refused(shared.resolve("log"), shared + " as uid", "mode 0777");

        Files.setAttribute(shared, "unix:mode", 01777);
        LogFiles.prepare(ROOT, process(uid(), shared.resolve("log"), "w", 10));
        assertThat(shared.resolve("log")).hasSize(10);
    }

    @Test
    void aLogOfAUserComesBackInTheUsersFolderAsTheUsers() throws Exception {
        givenRoot();
        reachable();
        Path home = Files.createDirectory(folder.resolve("home"));
        give(home, 1000);

        LogFiles.prepare(ROOT, process(1000, home.resolve("log"), "w", 10));

        assertThat(Files.getAttribute(home.resolve("log"), "unix:uid")).isEqualTo(1000);
        assertThat(home.resolve("log")).hasSize(10);
    }

    @Test
    void aStrangersFolderIsRefused() throws Exception {
        givenRoot();
        reachable();
        Path theirs = Files.createDirectory(folder.resolve("theirs"));
        give(theirs, 1001);

        assertThatThrownBy(() -> LogFiles.prepare(ROOT, process(1000, theirs.resolve("log"), "w", 10)))
                .isInstanceOf(StageException.class)
                .hasMessageContaining("belongs to uid 1001");
        assertThat(theirs).isEmptyDirectory();
    }

    @Test
    void whatTheUserCouldNotMakeIsNotMadeOrMovedForIt() throws Exception {
        givenRoot();
        reachable();
        Path etc = Files.createDirectory(folder.resolve("etc"));
        Files.writeString(etc.resolve("passwd"), "root");

        for (String name : List.of("ld.so.preload", "passwd")) {
            assertThatThrownBy(() -> LogFiles.prepare(ROOT, process(1000, etc.resolve(name), "w", 10)))
                    .isInstanceOf(StageException.class)
                    .hasMessageContaining("uid 1000 may not make it again in " + etc);
        }
        assertThat(etc).isDirectoryContaining(file -> file.endsWith("passwd"));
        assertThat(etc.resolve("passwd")).hasContent("root");
        assertThat(etc.resolve("ld.so.preload")).doesNotExist();
    }

    @Test
    void theFolderOfASocketIsMadeAgainForTheUserOnly() throws Exception {
        givenRoot();
        reachable();
        Path run = Files.createDirectory(folder.resolve("run"));
        Files.setAttribute(run, "unix:mode", 01777);

        LogFiles.prepareSocketFolders(ROOT, withSocket(1000, run.resolve("gpusnap/7.sock")));
        LogFiles.prepareSocketFolders(ROOT, withSocket(1000, run.resolve("gpusnap/7.sock")));

        assertThat(Files.getAttribute(run.resolve("gpusnap"), "unix:uid")).isEqualTo(1000);
        assertThat((Integer) Files.getAttribute(run.resolve("gpusnap"), "unix:mode") & 0777)
                .isEqualTo(0700);
    }

    @Test
    void aSocketsFolderMayLieBehindRootsLinkButNotBehindTheUsers() throws Exception {
        givenRoot();
        reachable();
        Path home = Files.createDirectory(folder.resolve("home"));
        give(home, 1000);
        Files.createSymbolicLink(folder.resolve("roots"), home);
        LogFiles.prepareSocketFolders(ROOT, withSocket(1000, folder.resolve("roots/sockets/7.sock")));
        assertThat(home.resolve("sockets")).isDirectory();

        Path etc = Files.createDirectory(folder.resolve("etc"));
        Files.setAttribute(
                Files.createSymbolicLink(home.resolve("way"), etc), "unix:uid", 1000, LinkOption.NOFOLLOW_LINKS);
        assertThatThrownBy(
                        () -> LogFiles.prepareSocketFolders(ROOT, withSocket(1000, home.resolve("way/sockets/7.sock"))))
                .isInstanceOf(StageException.class)
                .hasMessageContaining("is a symbolic link");
        assertThat(etc).isEmptyDirectory();
    }

    private void refused(Path log, String... texts) throws Exception {
        Manifest.ProcessImage process = process(uid(), log, "w", 10);
        assertThatThrownBy(() -> LogFiles.prepare(ROOT, process))
                .isInstanceOfSatisfying(
                        StageException.class, e -> assertThat(e.code()).isEqualTo(FailureCode.PATH_MISSING))
                .hasMessageContainingAll(texts);
        assertThat(new Place(new ProcFs()).paths(process))
                .extracting(Refusal::code)
                .containsExactly(FailureCode.PATH_MISSING);
    }

    private static void givenRoot() {
        assumeTrue("root".equals(System.getProperty("user.name")), "only root can give files to another user");
    }

    private void reachable() throws Exception {
        Files.setAttribute(folder, "unix:mode", 0755);
    }

    private static void give(Path path, int uid) throws Exception {
        Files.setAttribute(path, "unix:uid", uid);
        Files.setAttribute(path, "unix:gid", uid);
    }

    private int uid() throws Exception {
        return (Integer) Files.getAttribute(folder, "unix:uid");
    }

    private List<Path> aside() throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().startsWith("log.before-thaw-"))
                    .toList();
        }
    }

    private void prepare(String mode, long size) throws Exception {
        LogFiles.prepare(ROOT, process(uid(), folder.resolve("log"), mode, size));
    }

    private static Manifest.ProcessImage process(int uid, Path log, String mode, long size) {
        return image(uid, List.of(new Manifest.OpenFile(1, log.toString(), size, mode)), List.of());
    }

    private static Manifest.ProcessImage withSocket(int uid, Path socket) {
        return image(uid, List.of(), List.of(socket.toString()));
    }

    private static Manifest.ProcessImage image(int uid, List<Manifest.OpenFile> files, List<String> sockets) {
        return new Manifest.ProcessImage(
                "chat",
                1,
                1,
                List.of(1),
                true,
                "/bin/true",
                List.of(),
                "/",
                uid,
                uid,
                List.of(),
                files,
                List.of(),
                sockets,
                List.of());
    }
}
