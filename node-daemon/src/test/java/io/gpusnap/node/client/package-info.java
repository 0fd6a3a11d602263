@NullMarked
package io.gpusnap.node.client;

import org.jspecify.annotations.NullMarked;
