@NullMarked
package io.gpusnap.node.tier.s3;

import org.jspecify.annotations.NullMarked;
