package io.gpusnap.node.tier.nfs;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;

/**
 * The file system calls that the store makes, each of which may hang or fail on a network file system. Files are opened by name
 * for each call, which on NFS is what makes others' writes visible (close-to-open), and lets go of stale handles.
 */
interface ShareFiles {

    /** Fails where the file is there. On return the content is on the server's stable storage, and the file closed. */
    void writeNew(Path file, MemorySegment content) throws IOException;

    /** A second name for a file; fails where there is something of that name. Atomic, also between nodes. */
    void link(Path file, Path newName) throws IOException;

    /** Atomic; replaces. */
    void rename(Path from, Path to) throws IOException;

    /** Names in the folder are on stable storage. */
    void syncFolder(Path folder) throws IOException;

    void createFolder(Path folder) throws IOException;

    /** Not of what a link points to. */
    BasicFileAttributes attributes(Path file) throws IOException;

    /**
     * @param direct past the page cache, where the file system can do that; then the offset is one of a page
     * @return the file's size; bytes are read only where it is the expected one
     */
    long read(Path file, long wholeBytes, long offset, MemorySegment target, boolean direct) throws IOException;

    List<Path> list(Path folder) throws IOException;

    boolean delete(Path file) throws IOException;

    /** Capacity and usable bytes. */
    long[] space(Path folder) throws IOException;
}
