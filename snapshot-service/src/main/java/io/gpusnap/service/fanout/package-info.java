/**
 * Tells nodes that bring back the same snapshot at the same time of each other, and lets them ask each other for its chunks. What
 * they make of it is their matter: the service never calls a node, and decides nothing here.
 */
@NullMarked
package io.gpusnap.service.fanout;

import org.jspecify.annotations.NullMarked;
