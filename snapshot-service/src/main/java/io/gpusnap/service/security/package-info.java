/** Who calls: the operator with the access token, or a daemon with its session token. */
@NullMarked
package io.gpusnap.service.security;

import org.jspecify.annotations.NullMarked;
