/** The published API descriptions: groups, examples, declared problems. */
@NullMarked
package io.gpusnap.service.platform.openapi;

import org.jspecify.annotations.NullMarked;
