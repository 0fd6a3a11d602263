/** Demand and forecasts over HTTP. */
@NullMarked
package io.gpusnap.service.forecast.web;

import org.jspecify.annotations.NullMarked;
