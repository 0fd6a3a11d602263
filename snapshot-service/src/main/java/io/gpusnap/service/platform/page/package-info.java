/** Keyset paging with opaque page tokens. */
@NullMarked
package io.gpusnap.service.platform.page;

import org.jspecify.annotations.NullMarked;
