package io.gpusnap.service.node;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.gpusnap.service.platform.id.OperationId;
import jakarta.validation.constraints.NotNull;

/** An operation that a daemon believes to be its own, and the epoch under which it claimed it. */
@JsonIgnoreProperties(ignoreUnknown = true)
public record HeldOperation(@NotNull OperationId operationId, long epoch) {}
