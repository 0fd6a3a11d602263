@NullMarked
package io.gpusnap.node.cli;

import org.jspecify.annotations.NullMarked;
