package io.gpusnap.service.policy.web;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.platform.idempotency.Created;
import io.gpusnap.service.platform.idempotency.IdempotencyKey;
import io.gpusnap.service.platform.idempotency.IdempotentCreates;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.validation.DnsLabel;
import io.gpusnap.service.platform.web.ETags;
import io.gpusnap.service.platform.web.IfMatch;
import io.gpusnap.service.policy.Evaluations;
import io.gpusnap.service.policy.TierPolicies;
import io.gpusnap.service.policy.TierPolicy;
import io.gpusnap.service.policy.TierPolicySpec;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotNull;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Tier policies. */
@RestController
@RequestMapping("/api/v1/tier-policies")
@Tag(name = "Tier policies", description = "Rules that say which copies of which snapshots there should be")
class TierPolicyController {
    private final TierPolicies policies;
    private final Evaluations evaluations;
    private final IdempotentCreates creates;

    TierPolicyController(TierPolicies policies, Evaluations evaluations, IdempotentCreates creates) {
        this.policies = policies;
        this.evaluations = evaluations;
        this.creates = creates;
    }

    /** A new policy. */
    record CreateTierPolicyRequest(
            @NotNull @DnsLabel String name, @NotNull @Valid TierPolicySpec spec) {}

    /**
     * A policy.
     *
     * @param evaluatedAt when it was carried out last; absent before the first time
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "TierPolicy")
    record TierPolicyResource(
            String name, TierPolicySpec spec, @Nullable Instant evaluatedAt, Instant createdAt, Instant updatedAt) {
        static TierPolicyResource of(TierPolicy policy) {
            return new TierPolicyResource(
                    policy.name(),
                    policy.spec(),
                    policy.evaluatedAt().equals(Instant.EPOCH) ? null : policy.evaluatedAt(),
                    policy.createdAt(),
                    policy.updatedAt());
        }
    }

    /** @param dryRun whether to decide only */
    record EvaluateRequest(boolean dryRun) {}

    /** What the policy decides now, in the order in which it is done. */
    record EvaluateReply(boolean dryRun, List<DecisionResource> decisions) {}

    @PostMapping
    @Operation(operationId = "createTierPolicy", summary = "Create a tier policy")
    @ApiResponse(responseCode = "201", description = "Created; carried out from now on if it is enabled")
    @ApiResponse(
            responseCode = "409",
            description = "NAME_TAKEN, TIER_POLICY_OVERLAP, or the key's first request still runs")
    ResponseEntity<TierPolicyResource> create(
            @Valid @RequestBody CreateTierPolicyRequest request, @Parameter(hidden = true) IdempotencyKey key) {
        return creates.once(key, request, TierPolicyResource.class, () -> {
            TierPolicy policy = policies.create(request.name(), request.spec());
            return new Created<>(
                    201,
                    "/api/v1/tier-policies/" + policy.name(),
                    ETags.of(policy.rowVersion()),
                    TierPolicyResource.of(policy));
        });
    }

    @GetMapping
    @Operation(operationId = "listTierPolicies", summary = "List tier policies by name")
    Page<TierPolicyResource> list(
            @RequestParam(required = false) @Nullable Integer pageSize,
            @RequestParam(required = false) @Nullable String pageToken) {
        return policies.list(PageQuery.of("tier-policies", pageSize, pageToken)).map(TierPolicyResource::of);
    }

    @GetMapping("/{policy}")
    @Operation(operationId = "getTierPolicy", summary = "Read a tier policy")
    ResponseEntity<TierPolicyResource> get(@PathVariable String policy) {
        return response(policies.get(policy));
    }

    @PutMapping("/{policy}")
    @Operation(
            operationId = "replaceTierPolicy",
            summary = "Replace what a tier policy says",
            description = "TIER_POLICY_OVERLAP when it is enabled and another enabled one is for the same models.")
    ResponseEntity<TierPolicyResource> replace(
            @PathVariable String policy,
            @Valid @RequestBody TierPolicySpec spec,
            @Parameter(hidden = true) IfMatch ifMatch) {
        return response(policies.replace(policy, spec, ifMatch));
    }

    @DeleteMapping("/{policy}")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    @Operation(
            operationId = "deleteTierPolicy",
            summary = "Delete a tier policy",
            description = "What it has done stays, and moves that are queued go on.")
    @ApiResponse(responseCode = "204", description = "Deleted")
    void delete(@PathVariable String policy, @Parameter(hidden = true) IfMatch ifMatch) {
        policies.delete(policy, ifMatch);
    }

    @PostMapping("/{policy}/evaluations")
    @Operation(
            operationId = "evaluateTierPolicy",
            summary = "Let a tier policy decide now",
            description =
                    "As a dry run nothing changes. Otherwise what it decides is queued as far as the limits allow; "
                            + "asking again queues nothing twice, since what is on its way counts as done."
                            + " TIER_POLICY_DISABLED when it is not enabled and this is no dry run.")
    EvaluateReply evaluate(@PathVariable String policy, @Valid @RequestBody EvaluateRequest request) {
        List<DecisionResource> decisions = request.dryRun()
                ? evaluations.dryRun(policy).stream().map(DecisionResource::of).toList()
                : evaluations.run(policy).stream().map(DecisionResource::of).toList();
        return new EvaluateReply(request.dryRun(), decisions);
    }

    private static ResponseEntity<TierPolicyResource> response(TierPolicy policy) {
        return ResponseEntity.ok().eTag(ETags.of(policy.rowVersion())).body(TierPolicyResource.of(policy));
    }
}
