package io.gpusnap.node.file;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Listing and deleting folders. A folder that cannot be read to its end is an IOException here. Java's own streams tell of that by an
 * unchecked exception, which nobody expects of them: it ended threads.
 */
public final class Folders {

    private Folders() {}

    /** What is in a folder, in no order. */
    public static List<Path> list(Path folder) throws IOException {
        return list(folder, "*");
    }

    /** @param glob that names match */
    public static List<Path> list(Path folder, String glob) throws IOException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, glob)) {
            return all(entries);
        }
    }

    static List<Path> all(DirectoryStream<Path> entries) throws IOException {
        List<Path> found = new ArrayList<>();
        try {
            entries.forEach(found::add);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return found;
    }

    /** Deletes a folder with all in it; links are deleted, not followed. Harmless when there is none. */
    public static void delete(Path folder) throws IOException {
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException failure) throws IOException {
                if (failure != null) {
                    throw failure;
                }
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
