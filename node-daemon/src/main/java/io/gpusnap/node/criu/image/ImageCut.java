package io.gpusnap.node.criu.image;

import java.nio.file.Path;
import java.util.List;

/**
 * A dump in two parts.
 *
 * @param files what CRIU restores from, under the names that it wants
 * @param areas memory that is in none of them and must be filled in afterwards, before the processes run
 */
public record ImageCut(List<Path> files, List<CutArea> areas) {

    public ImageCut {
        files = List.copyOf(files);
        areas = List.copyOf(areas);
    }
}
