/** HTTP side of operations, for callers and for daemons. */
@NullMarked
package io.gpusnap.service.operation.web;

import org.jspecify.annotations.NullMarked;
