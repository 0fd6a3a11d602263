/** Rollouts: a new version gets a growing share of an alias's restores, is judged by what it does, and goes back by itself. */
@NullMarked
package io.gpusnap.service.rollout;

import org.jspecify.annotations.NullMarked;
