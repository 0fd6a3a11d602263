package io.gpusnap.service.forecast;

/** Demand for a model at the moment of the report. */
public record DemandReport(double requestsPerSecond, int queueDepth, int replicasDesired) {}
