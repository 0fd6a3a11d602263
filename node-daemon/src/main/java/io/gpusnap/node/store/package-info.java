/** Content addressing and manifests: digests, chunkers, the manifest's form. Knows no tier and no engine. */
@NullMarked
package io.gpusnap.node.store;

import org.jspecify.annotations.NullMarked;
