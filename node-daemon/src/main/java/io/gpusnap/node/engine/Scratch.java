package io.gpusnap.node.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** Folders of running operations on scratch. */
final class Scratch {

    private Scratch() {}

    /** Makes a folder for its owner only: what lies in it is a process's memory. Harmless when it is there. */
    static void make(Path folder) throws IOException {
        Files.createDirectories(
                folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
}
