/** Commands of the service's program that serve nothing: they compute, write files and end. */
@NullMarked
package io.gpusnap.service.platform.command;

import org.jspecify.annotations.NullMarked;
