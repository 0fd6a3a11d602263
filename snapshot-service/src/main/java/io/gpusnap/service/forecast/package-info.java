/** What models will be asked for: demand as it was reported, forecasts of it, and how wrong they were. */
@NullMarked
package io.gpusnap.service.forecast;

import org.jspecify.annotations.NullMarked;
