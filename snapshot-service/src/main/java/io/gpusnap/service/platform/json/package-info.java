/** JSON columns and exact JSON text. */
@NullMarked
package io.gpusnap.service.platform.json;

import org.jspecify.annotations.NullMarked;
