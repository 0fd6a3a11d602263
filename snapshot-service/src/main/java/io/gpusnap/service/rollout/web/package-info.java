/** HTTP side of rollouts. */
@NullMarked
package io.gpusnap.service.rollout.web;

import org.jspecify.annotations.NullMarked;
