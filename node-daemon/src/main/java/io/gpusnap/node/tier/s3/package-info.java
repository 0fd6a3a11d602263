/** Objects in a bucket: a service that answers late, twice, wrongly, or not at all. */
@NullMarked
package io.gpusnap.node.tier.s3;

import org.jspecify.annotations.NullMarked;
