/** HTTP side of restores. */
@NullMarked
package io.gpusnap.service.restore.web;

import org.jspecify.annotations.NullMarked;
