package io.gpusnap.service.node.web;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.gpusnap.service.node.HeldOperation;
import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.WorkloadReport;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Size;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The whole of what the node has now; what is not in it is gone. */
@JsonIgnoreProperties(ignoreUnknown = true)
record HeartbeatRequest(
        @NotNull @Valid Inventory inventory,
        @NotNull @Size(max = 10_000) List<@Valid WorkloadReport> workloads,
        @Nullable @Size(max = 1_000) List<@Valid HeldOperation> runningOperations) {}
