/**
 * Brings copies to nodes before they are wanted there: ahead of the scale-up that the forecast expects, by the planner that the
 * backtest runs; and of the version that an alias was moved to. Keeps the account of what came of it.
 */
@NullMarked
package io.gpusnap.service.prefetch;

import org.jspecify.annotations.NullMarked;
