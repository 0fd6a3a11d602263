package io.gpusnap.service.operation.web;

import io.gpusnap.service.operation.OperationAgents;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.security.NodeCaller;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.Valid;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Daemons report on the operations that they claimed. */
@RestController
@RequestMapping("/node/v1/operations/{operationId}")
@Tag(name = "Work", description = "Claims, progress and completion of operations")
class ReportController {
    private final OperationAgents agents;

    ReportController(OperationAgents agents) {
        this.agents = agents;
    }

    @PostMapping("/progress")
    @Operation(
            operationId = "reportProgress",
            summary = "Report stages and renew the lease",
            description =
                    "409 STALE_EPOCH or OPERATION_FINISHED: the operation is not the daemon's any more; it stops and undoes.")
    ProgressReply progress(
            @PathVariable OperationId operationId,
            @Valid @RequestBody ProgressRequest request,
            @Parameter(hidden = true) NodeCaller caller) {
        OperationAgents.Lease lease = agents.progress(caller, operationId, request.epoch(), request.stages());
        return new ProgressReply(lease.cancelRequested(), lease.until());
    }

    @PostMapping("/completion")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    @Operation(
            operationId = "completeOperation",
            summary = "End an operation",
            description =
                    "The same epoch and outcome again is answered 204 and changes nothing. 409 STALE_EPOCH or "
                            + "OPERATION_FINISHED: refused for good. 422 MANIFEST_INVALID: the operation and its snapshot have FAILED.")
    void complete(
            @PathVariable OperationId operationId,
            @Valid @RequestBody CompletionRequest request,
            @Parameter(hidden = true) NodeCaller caller) {
        agents.complete(caller, operationId, request::toCompletion);
    }
}
