/** HTTP side of stores. */
@NullMarked
package io.gpusnap.service.tier.web;

import org.jspecify.annotations.NullMarked;
