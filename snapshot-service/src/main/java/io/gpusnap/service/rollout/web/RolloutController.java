package io.gpusnap.service.rollout.web;

import io.gpusnap.service.platform.id.RolloutId;
import io.gpusnap.service.platform.idempotency.Created;
import io.gpusnap.service.platform.idempotency.IdempotencyKey;
import io.gpusnap.service.platform.idempotency.IdempotentCreates;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.web.ETags;
import io.gpusnap.service.platform.web.IfMatch;
import io.gpusnap.service.rollout.RolloutEvent;
import io.gpusnap.service.rollout.RolloutPhase;
import io.gpusnap.service.rollout.Rollouts;
import io.gpusnap.service.rollout.StepSpec;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Size;
import java.security.Principal;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Rollouts. */
@RestController
@RequestMapping("/api/v1/rollouts")
@Tag(
        name = "Rollouts",
        description = "A new version gets a growing share of an alias's restores, and goes back by itself")
class RolloutController {
    private final Rollouts rollouts;
    private final IdempotentCreates creates;

    RolloutController(Rollouts rollouts, IdempotentCreates creates) {
        this.rollouts = rollouts;
        this.creates = creates;
    }

    /**
     * A new rollout.
     *
     * @param version that the alias is to stand for in the end
     * @param steps in the order in which they are done; after the last one the alias moves
     */
    record CreateRolloutRequest(
            @NotBlank String model,
            @NotBlank String alias,
            @NotBlank String version,
            @NotNull @Size(min = 1, max = 50) List<@NotNull @Valid StepSpec> steps,
            @Size(min = 1, max = 500) @Nullable String reason) {}

    /** @param full over all the steps that are left */
    record PromoteRolloutRequest(
            @Nullable Boolean full,
            @Size(min = 1, max = 500) @Nullable String reason) {}

    /** Why. */
    record RolloutActionRequest(
            @Size(min = 1, max = 500) @Nullable String reason) {}

    @PostMapping
    @Operation(
            operationId = "createRollout",
            summary = "Roll a version out to an alias",
            description =
                    "Steps are as in Argo Rollouts. Restores of the alias get the new version by weight: counted, so that after any number "
                            + "of them the share is exact, and the same replica key gets the same version while shares do not change.")
    @ApiResponse(responseCode = "201", description = "Created; its first steps are done")
    @ApiResponse(
            responseCode = "409",
            description =
                    "The alias stands for the version already or has a rollout on its way, the version never had a READY snapshot, or "
                            + "the key's first request still runs")
    ResponseEntity<RolloutResource> create(
            @Valid @RequestBody CreateRolloutRequest request,
            @Parameter(hidden = true) IdempotencyKey key,
            @Parameter(hidden = true) Principal caller) {
        return creates.once(key, request, RolloutResource.class, () -> {
            Rollouts.View view = rollouts.create(
                    request.model(),
                    request.alias(),
                    request.version(),
                    request.steps(),
                    reason(caller, request.reason(), "a new version"));
            return new Created<>(
                    201,
                    "/api/v1/rollouts/" + view.rollout().id(),
                    ETags.of(view.rollout().rowVersion()),
                    RolloutResource.of(view));
        });
    }

    @GetMapping
    @Operation(operationId = "listRollouts", summary = "List rollouts, newest first")
    Page<RolloutResource> list(
            @RequestParam(required = false) @Nullable String model,
            @RequestParam(required = false) @Nullable RolloutPhase phase,
            @RequestParam(required = false) @Nullable Integer pageSize,
            @RequestParam(required = false) @Nullable String pageToken) {
        return rollouts.list(model, phase, PageQuery.of("rollouts", pageSize, pageToken, model, phase))
                .map(RolloutResource::of);
    }

    @GetMapping("/{rolloutId}")
    @Operation(operationId = "getRollout", summary = "Read a rollout")
    ResponseEntity<RolloutResource> get(@PathVariable RolloutId rolloutId) {
        return response(rollouts.get(rolloutId));
    }

    @GetMapping("/{rolloutId}/events")
    @Operation(operationId = "listRolloutEvents", summary = "Everything that happened to a rollout, newest first")
    Page<RolloutEvent> events(
            @PathVariable RolloutId rolloutId,
            @RequestParam(required = false) @Nullable Integer pageSize,
            @RequestParam(required = false) @Nullable String pageToken) {
        return rollouts.events(rolloutId, PageQuery.of("rollout-events", pageSize, pageToken, rolloutId));
    }

    @PostMapping("/{rolloutId}/promotion")
    @Operation(
            operationId = "promoteRollout",
            summary = "Let a rollout go on",
            description =
                    "Over the pause that it waits in, an analysis that is on its way or said nothing, or with full over everything that is left.")
    @ApiResponse(responseCode = "200", description = "It goes on")
    @ApiResponse(responseCode = "409", description = "CONFLICT: it is at its end")
    ResponseEntity<RolloutResource> promote(
            @PathVariable RolloutId rolloutId,
            @Valid @RequestBody PromoteRolloutRequest request,
            @Parameter(hidden = true) IfMatch ifMatch,
            @Parameter(hidden = true) Principal caller) {
        return response(rollouts.promote(
                rolloutId, Boolean.TRUE.equals(request.full()), ifMatch, reason(caller, request.reason(), "promoted")));
    }

    @PostMapping("/{rolloutId}/pause")
    @Operation(
            operationId = "pauseRollout",
            summary = "Hold a rollout where it is",
            description = "Shares stay as they are until it is promoted.")
    @ApiResponse(responseCode = "200", description = "It is PAUSED")
    @ApiResponse(responseCode = "409", description = "CONFLICT: it is at its end")
    ResponseEntity<RolloutResource> pause(
            @PathVariable RolloutId rolloutId,
            @Valid @RequestBody RolloutActionRequest request,
            @Parameter(hidden = true) IfMatch ifMatch,
            @Parameter(hidden = true) Principal caller) {
        return response(rollouts.pause(rolloutId, ifMatch, reason(caller, request.reason(), "paused")));
    }

    @PostMapping("/{rolloutId}/abort")
    @Operation(
            operationId = "abortRollout",
            summary = "End a rollout",
            description = "The next restore gets the version before.")
    @ApiResponse(responseCode = "200", description = "It is ABORTED")
    @ApiResponse(responseCode = "409", description = "CONFLICT: it is at its end")
    ResponseEntity<RolloutResource> abort(
            @PathVariable RolloutId rolloutId,
            @Valid @RequestBody RolloutActionRequest request,
            @Parameter(hidden = true) IfMatch ifMatch,
            @Parameter(hidden = true) Principal caller) {
        return response(rollouts.abort(rolloutId, ifMatch, reason(caller, request.reason(), "aborted")));
    }

    @PostMapping("/{rolloutId}/retry")
    @Operation(
            operationId = "retryRollout",
            summary = "Begin a rollout that went back from its first step again",
            description = "What was measured before does not count any more.")
    @ApiResponse(responseCode = "200", description = "It is on its way again")
    @ApiResponse(
            responseCode = "409",
            description =
                    "CONFLICT: it is on its way or HEALTHY, the alias has moved, or another rollout of it is on its way")
    ResponseEntity<RolloutResource> retry(
            @PathVariable RolloutId rolloutId,
            @Valid @RequestBody RolloutActionRequest request,
            @Parameter(hidden = true) IfMatch ifMatch,
            @Parameter(hidden = true) Principal caller) {
        return response(rollouts.retry(rolloutId, ifMatch, reason(caller, request.reason(), "tried again")));
    }

    private static Rollouts.Reason reason(Principal caller, @Nullable String given, String otherwise) {
        return new Rollouts.Reason(caller.getName(), given == null ? otherwise : given);
    }

    private static ResponseEntity<RolloutResource> response(Rollouts.View view) {
        return ResponseEntity.ok().eTag(ETags.of(view.rollout().rowVersion())).body(RolloutResource.of(view));
    }
}
