/**
 * Nodes that bring back the same snapshot at the same time read it from a shared store once between them: each stretch of the
 * store has a home among them that reads it, the others get it from there. Within a node, two operations that want the same
 * chunk read it once. All of it only helps: whatever a peer does, the chunk is verified, and comes from the store if need be.
 */
@NullMarked
package io.gpusnap.node.peer;

import org.jspecify.annotations.NullMarked;
