/** HTTP side of recoveries. */
@NullMarked
package io.gpusnap.service.recovery.web;

import org.jspecify.annotations.NullMarked;
