/** Time as the database sees it. */
@NullMarked
package io.gpusnap.service.platform.time;

import org.jspecify.annotations.NullMarked;
