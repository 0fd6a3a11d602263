/** Keys: what encrypts chunks at rest and signs manifests, and where it comes from. */
@NullMarked
package io.gpusnap.node.tier.key;

import org.jspecify.annotations.NullMarked;
