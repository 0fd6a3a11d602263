/** HTTP side of switches. */
@NullMarked
package io.gpusnap.service.switchover.web;

import org.jspecify.annotations.NullMarked;
