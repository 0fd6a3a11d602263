/** HTTP side of model versions. */
@NullMarked
package io.gpusnap.service.version.web;

import org.jspecify.annotations.NullMarked;
