package io.gpusnap.node.criu.image;

import java.nio.file.Path;

/**
 * Memory of a process that is to be restored without CRIU.
 *
 * @param taskId pid as the process itself has it
 * @param pages file that holds its content, unchanged for as long as the dump is there
 * @param offset of its first byte in that file
 * @param sizeBytes a multiple of 4 MiB, as the address is
 */
public record CutArea(int taskId, long address, Path pages, long offset, long sizeBytes) {}
