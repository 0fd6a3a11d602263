/** The command {@code gpusnap-node}: the daemon itself, and the same work by hand without a service. */
@NullMarked
package io.gpusnap.node.cli;

import org.jspecify.annotations.NullMarked;
