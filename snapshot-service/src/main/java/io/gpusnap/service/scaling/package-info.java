/**
 * Tells autoscalers of demand: KEDA's external scaler over gRPC, pushed and polled. It only answers; what is scaled, and by how
 * much, KEDA and the HPA decide.
 */
@NullMarked
package io.gpusnap.service.scaling;

import org.jspecify.annotations.NullMarked;
