/** GPU nodes, their daemons' sessions, heartbeats and inventory. */
@NullMarked
package io.gpusnap.service.node;

import org.jspecify.annotations.NullMarked;
