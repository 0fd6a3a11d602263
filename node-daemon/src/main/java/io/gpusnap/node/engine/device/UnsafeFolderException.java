package io.gpusnap.node.engine.device;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A setting names a place that another user could look into or replace. The message names the property, the path, what was
 * found and the mend.
 */
public final class UnsafeFolderException extends IOException {

    private static final long serialVersionUID = 1L;

    UnsafeFolderException(String property, Path path, String finding, String mend) {
        super("%s %s is refused: %s; %s".formatted(property, path, finding, mend));
    }
}
