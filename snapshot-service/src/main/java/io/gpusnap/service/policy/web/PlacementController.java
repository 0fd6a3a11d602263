package io.gpusnap.service.policy.web;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.policy.Evaluations;
import io.gpusnap.service.policy.rules.Facts;
import io.gpusnap.service.policy.rules.Role;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** Why a snapshot's copies are where they are. */
@RestController
@Tag(name = "Snapshots", description = "Frozen processes, kept by model and version")
class PlacementController {
    private final Evaluations evaluations;

    PlacementController(Evaluations evaluations) {
        this.evaluations = evaluations;
    }

    /**
     * What a policy sees in a snapshot, and what it decides of it now.
     *
     * @param policy that it is under; absent when none is for its model, or the snapshot is not one that can be moved
     * @param role of its version
     * @param lastUsedAt last thaw that went well, or when it was taken
     * @param expectedReplicas of its model by the forecast
     * @param copies where it is and why, whoever asked for it: a policy, the forecast, an alias that was moved, or a person
     * @param decisions what is going to change, and what keeps other things as they are; empty when all is as it should be
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "PlacementExplanation")
    record ExplanationResource(
            SnapshotId snapshotId,
            @Nullable String policy,
            @Nullable Role role,
            @Nullable Instant lastUsedAt,
            @Nullable Double expectedReplicas,
            List<CopyResource> copies,
            List<DecisionResource> decisions) {}

    @GetMapping("/api/v1/snapshots/{snapshotId}/placement/explain")
    @Operation(
            operationId = "explainPlacement",
            summary = "Say why a snapshot's copies are where they are, and what is going to change",
            description =
                    "Tells for each copy why it was made, or is removed; evaluates the policy that the snapshot is under, and"
                            + " changes nothing.")
    ExplanationResource explain(@PathVariable SnapshotId snapshotId) {
        Evaluations.Explanation explained = evaluations.explain(snapshotId);
        Optional<Evaluations.Decided> decided = explained.decided();
        Optional<Facts.SnapshotFacts> seen = decided.map(Evaluations.Decided::seen);
        return new ExplanationResource(
                snapshotId,
                decided.map(one -> one.policy().name()).orElse(null),
                seen.map(Facts.SnapshotFacts::role).orElse(null),
                seen.map(Facts.SnapshotFacts::lastUsedAt).orElse(null),
                seen.map(Facts.SnapshotFacts::expectedReplicas).orElse(null),
                explained.copies().stream()
                        .map(copy -> CopyResource.of(copy, explained.snapshot()))
                        .toList(),
                decided.map(one -> one.decisions().stream()
                                .map(DecisionResource::of)
                                .toList())
                        .orElse(List.of()));
    }
}
