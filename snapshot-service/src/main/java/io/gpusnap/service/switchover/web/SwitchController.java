package io.gpusnap.service.switchover.web;

import io.gpusnap.service.operation.OperationResource;
import io.gpusnap.service.operation.SwitchPolicy;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.idempotency.Created;
import io.gpusnap.service.platform.idempotency.IdempotencyKey;
import io.gpusnap.service.platform.idempotency.IdempotentCreates;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.problem.Violation;
import io.gpusnap.service.switchover.Switches;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Size;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/** Switches. */
@RestController
@Tag(name = "Switches", description = "Several models on one GPU take turns")
class SwitchController {
    private final Switches switches;
    private final IdempotentCreates creates;

    SwitchController(Switches switches, IdempotentCreates creates) {
        this.switches = switches;
        this.creates = creates;
    }

    /**
     * Who is to be resumed: one of the two.
     *
     * @param workload its name, also of one that a switch before this one is about to suspend
     */
    record SwitchTarget(
            @Nullable SnapshotId snapshotId,
            @Nullable @Size(max = 63) String workload) {

        Switches.Wish wish() {
            if (snapshotId != null && workload == null) {
                return new Switches.FrozenAs(snapshotId);
            }
            if (snapshotId == null && workload != null) {
                return new Switches.Named(workload);
            }
            String detail = "must have either snapshotId or workload";
            throw new ApiException(
                    ErrorCode.INVALID_REQUEST, "to " + detail + ".", List.of(new Violation("/to", detail)));
        }
    }

    /**
     * A switch to be done.
     *
     * @param from names of the workloads that may have to make room; absent for all that run on the node
     * @param policy absent is EVICT_IF_NEEDED
     * @param preempt ends restores that run on the node, so that the switch need not wait for them
     */
    record CreateSwitchRequest(
            @NotNull @Valid SwitchTarget to,
            @Nullable @Size(max = 50) List<@NotNull @Size(max = 63) String> from,
            @Nullable SwitchPolicy policy,
            @Nullable Boolean preempt) {}

    /** The operation, and who may have to make room, the first first. */
    record CreateSwitchReply(OperationResource operation, List<Switches.MakesRoom> candidates) {}

    @PostMapping("/api/v1/nodes/{nodeId}/gpus/{gpu}/switch")
    @Operation(
            operationId = "createSwitch",
            summary = "Resume a suspended workload on a GPU, and suspend others to make room",
            description =
                    "gpu is a UUID or an ordinal. Switches of a GPU run in order. The daemon suspends nobody before it knows that "
                            + "the room suffices; if the resume fails, who made room goes on. The operation ends when those who made "
                            + "room are stored, which is after the other serves; its stage health says when that was.")
    @ApiResponse(responseCode = "202", description = "Queued; Location is the operation")
    @ApiResponse(
            responseCode = "409",
            description =
                    "The workload is not suspended, busy, gone or was resumed already; the node is silent, cordoned or lacks the "
                            + "engine; a candidate's model version is not known; or the key's first request still runs")
    ResponseEntity<CreateSwitchReply> create(
            @PathVariable NodeId nodeId,
            @PathVariable String gpu,
            @Valid @RequestBody CreateSwitchRequest request,
            @Parameter(hidden = true) IdempotencyKey key) {
        Switches.Wish wish = request.to().wish();
        Switches.How how = new Switches.How(
                request.from(),
                Objects.requireNonNullElse(request.policy(), SwitchPolicy.EVICT_IF_NEEDED),
                Boolean.TRUE.equals(request.preempt()));
        return creates.once(key, request, CreateSwitchReply.class, () -> {
            Switches.Queued queued = switches.create(nodeId, gpu, wish, how);
            return new Created<>(
                    202,
                    OperationResource.path(queued.operation().id()),
                    null,
                    new CreateSwitchReply(OperationResource.of(queued.operation()), queued.candidates()));
        });
    }
}
