@NullMarked
package io.gpusnap.node.config;

import org.jspecify.annotations.NullMarked;
