@NullMarked
package io.gpusnap.node.agent;

import org.jspecify.annotations.NullMarked;
