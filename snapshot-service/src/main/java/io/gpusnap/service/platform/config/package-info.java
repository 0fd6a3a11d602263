/** Settings that belong to no feature, and how a bad one stops the start. */
@NullMarked
package io.gpusnap.service.platform.config;

import org.jspecify.annotations.NullMarked;
