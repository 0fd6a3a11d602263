/** Constraints that several features' requests share. */
@NullMarked
package io.gpusnap.service.platform.validation;

import org.jspecify.annotations.NullMarked;
