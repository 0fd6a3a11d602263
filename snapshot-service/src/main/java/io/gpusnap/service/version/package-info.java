/** Model versions: what a snapshot is a snapshot of. */
@NullMarked
package io.gpusnap.service.version;

import org.jspecify.annotations.NullMarked;
