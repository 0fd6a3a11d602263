/** Error codes and the way every refusal leaves the service: {@code application/problem+json}. */
@NullMarked
package io.gpusnap.service.platform.problem;

import org.jspecify.annotations.NullMarked;
