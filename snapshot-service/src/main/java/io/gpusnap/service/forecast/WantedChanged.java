package io.gpusnap.service.forecast;

/** An autoscaler or a deployment wants another number of replicas than before. Published in the transaction that keeps it. */
public record WantedChanged(String model) {}
