/** Resources of external-snapshotter, as far as they are used here. A cluster need not have them. */
@NullMarked
package io.gpusnap.service.kubernetes.csi;

import org.jspecify.annotations.NullMarked;
