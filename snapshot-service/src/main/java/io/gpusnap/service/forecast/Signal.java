package io.gpusnap.service.forecast;

/** What is reported of a model's demand, and can be forecast. */
public enum Signal {
    /** Replicas that the autoscaler wants; the highest of a step counts. */
    REPLICAS,
    /** Requests a second; the mean of a step's reports counts. */
    REQUEST_RATE,
    /** Requests that wait; the most of a step counts. */
    QUEUE_DEPTH
}
