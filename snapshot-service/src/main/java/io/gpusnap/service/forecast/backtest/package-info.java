/** Forecast and prefetch tried on traces: forecaster and planner against a simulated fleet, beside what it has to beat. */
@NullMarked
package io.gpusnap.service.forecast.backtest;

import org.jspecify.annotations.NullMarked;
