@NullMarked
package io.gpusnap.node.tier.nfs;

import org.jspecify.annotations.NullMarked;
