/** The control plane. */
@NullMarked
package io.gpusnap.service;

import org.jspecify.annotations.NullMarked;
