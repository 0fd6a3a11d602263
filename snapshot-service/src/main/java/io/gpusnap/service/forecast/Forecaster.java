package io.gpusnap.service.forecast;

/**
 * Looks ahead. An implementation sees what it is given and nothing else, keeps no state, gives the same forecast for the
 * same series, and has an answer for every series, the empty one included. {@code ForecasterConformance} holds it to that.
 */
public interface Forecaster {
    /** Short and stable: a label of metrics, and the name in answers. */
    String name();

    /** @param steps how many to look ahead, at least 1 */
    Forecast forecast(Series past, int steps);
}
