/** Chart, images, compose file and examples are what they say they are. */
@NullMarked
package io.gpusnap.deploy;

import org.jspecify.annotations.NullMarked;
