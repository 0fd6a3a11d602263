package io.gpusnap.node.tier;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** The calls by which a file comes to be and a small one is read, each of which may fail, or be the last thing that a daemon does. */
interface DiskCalls {

    /**
     * Makes a file; one that fails leaves what it has written.
     *
     * @return true: it went past the page cache and is yet to be fsynced
     * @throws IOException also where there is something of that name
     */
    boolean writeNew(Path file, MemorySegment content) throws IOException;

    /** Atomic; replaces. */
    void rename(Path from, Path to) throws IOException;

    /**
     * All of a small file.
     *
     * @throws java.nio.file.NoSuchFileException also for what is no regular file
     */
    byte[] read(Path file) throws IOException;
}
