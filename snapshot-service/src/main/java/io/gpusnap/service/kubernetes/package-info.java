/**
 * Kubernetes as a front: custom resources, the operator that keeps them in step with the catalogue, and the webhook that
 * lets pods start from snapshots. PostgreSQL stays the truth, work goes through the features' own handlers, and nobody
 * imports this package. Off unless {@code gpusnap.kubernetes.enabled=true}.
 */
@NullMarked
package io.gpusnap.service.kubernetes;

import org.jspecify.annotations.NullMarked;
