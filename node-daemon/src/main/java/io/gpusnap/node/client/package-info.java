/** The node API as its caller sees it: one record a message, typed errors, bounded retries. */
@NullMarked
package io.gpusnap.node.client;

import org.jspecify.annotations.NullMarked;
