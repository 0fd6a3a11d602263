/**
 * The daemon's life with the service: registration, heartbeats, claims, leases and fencing, and the delivery of outcomes.
 * What a node can do comes in through {@link io.gpusnap.node.agent.NodeWork}.
 */
@NullMarked
package io.gpusnap.node.agent;

import org.jspecify.annotations.NullMarked;
