package io.gpusnap.node.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FoldersTest {

    @TempDir
    Path root;

    @Test
    void aFolderThatCannotBeReadToItsEndIsAnIoException() {
        IOException failure = new IOException("Input/output error");
        assertThatThrownBy(() -> Folders.all(new Broken(failure))).isSameAs(failure);
    }

    /** As the JDK's own tell of an error. */
    private record Broken(IOException failure) implements DirectoryStream<Path> {

        @Override
        public Iterator<Path> iterator() {
            return new Iterator<>() {
                @Override
                public boolean hasNext() {
                    throw new DirectoryIteratorException(failure);
                }

                @Override
                public Path next() {
                    throw new NoSuchElementException();
                }
            };
        }

        @Override
        public void close() {}
    }

    @Test
    void whatIsInAFolderIsListedAllOrByName() throws Exception {
        Path hidden = Files.createFile(root.resolve(".hidden"));
        Path file = Files.createFile(root.resolve("one.json"));
        assertThat(Folders.list(root)).containsExactlyInAnyOrder(hidden, file);
        assertThat(Folders.list(root, "*.json")).containsExactly(file);
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> Folders.list(root.resolve("none")));
    }

    @Test
    void aFolderIsDeletedWithAllInItAndLinksAreNotFollowed() throws Exception {
        Path kept = Files.createFile(Files.createDirectory(root.resolve("kept")).resolve("file"));
        Path folder = Files.createDirectories(root.resolve("folder/below")).getParent();
        Files.createFile(folder.resolve("below/file"));
        Files.createSymbolicLink(folder.resolve("link"), kept.getParent());

        Folders.delete(folder);
        Folders.delete(folder);

        assertThat(folder).doesNotExist();
        assertThat(kept).exists();
    }
}
