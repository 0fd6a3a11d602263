/** What the daemon's HTTP servers have in common. */
@NullMarked
package io.gpusnap.node.http;

import org.jspecify.annotations.NullMarked;
