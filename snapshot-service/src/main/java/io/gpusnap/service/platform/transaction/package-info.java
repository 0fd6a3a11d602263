/** Time as the database sees it, and what waits for a commit. */
@NullMarked
package io.gpusnap.service.platform.transaction;

import org.jspecify.annotations.NullMarked;
