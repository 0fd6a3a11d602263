package io.gpusnap.service.workload.web;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.workload.Workload;
import io.gpusnap.service.workload.WorkloadState;
import io.gpusnap.service.workload.Workloads;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Workloads are read only: daemons report them. */
@RestController
@RequestMapping("/api/v1/workloads")
@Tag(name = "Workloads", description = "Running processes that daemons report")
class WorkloadController {
    private final Workloads workloads;

    WorkloadController(Workloads workloads) {
        this.workloads = workloads;
    }

    @GetMapping
    @Operation(operationId = "listWorkloads", summary = "List workloads, newest first")
    Page<Workload> list(
            @RequestParam(required = false) @Nullable NodeId node,
            @RequestParam(required = false) @Nullable String name,
            @RequestParam(required = false) @Nullable WorkloadState state,
            @RequestParam(required = false) @Nullable Integer pageSize,
            @RequestParam(required = false) @Nullable String pageToken) {
        return workloads.list(node, name, state, PageQuery.of("workloads", pageSize, pageToken, node, name, state));
    }

    @GetMapping("/{workloadId}")
    @Operation(operationId = "getWorkload", summary = "Read a workload")
    Workload get(@PathVariable WorkloadId workloadId) {
        return workloads.get(workloadId);
    }
}
