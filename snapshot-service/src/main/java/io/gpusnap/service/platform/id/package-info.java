/** Ids of everything the service names. They are the shared vocabulary: a feature may name another one's thing without depending on it. */
@NullMarked
package io.gpusnap.service.platform.id;

import org.jspecify.annotations.NullMarked;
