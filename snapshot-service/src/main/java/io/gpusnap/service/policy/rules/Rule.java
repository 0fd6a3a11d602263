package io.gpusnap.service.policy.rules;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.Optional;

/**
 * One rule of a policy, with its settings. Rules keep no state and look at nothing but what they are shown. They speak in
 * the order in which the policy has them; what one rule protects, no other removes, wherever it stands.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({
    @JsonSubTypes.Type(value = MinimumCopies.class, name = MinimumCopies.KIND),
    @JsonSubTypes.Type(value = NodeSpread.class, name = NodeSpread.KIND),
    @JsonSubTypes.Type(value = Prefetch.class, name = Prefetch.KIND),
    @JsonSubTypes.Type(value = Promote.class, name = Promote.KIND),
    @JsonSubTypes.Type(value = Demote.class, name = Demote.KIND),
    @JsonSubTypes.Type(value = Archive.class, name = Archive.KIND),
    @JsonSubTypes.Type(value = Watermark.class, name = Watermark.KIND),
    @JsonSubTypes.Type(value = Retention.class, name = Retention.KIND),
    @JsonSubTypes.Type(value = Pin.class, name = Pin.KIND)
})
@Schema(name = "TierRule")
public sealed interface Rule
        permits MinimumCopies, NodeSpread, Prefetch, Promote, Demote, Archive, Watermark, Retention, Pin, Repair {

    /** What is wrong with its settings beyond the bounds of each; empty when nothing is. */
    default Optional<String> whyInvalid() {
        return Optional.empty();
    }

    /**
     * Whether what it objects to holds at the moment of the removal too, whoever asks for it. Of a rule that goes by use or by a
     * forecast it does not: those change their minds by themselves.
     */
    default boolean promises() {
        return false;
    }

    /** Adds to the plan what the rule wants. */
    void propose(Plan plan);

    /** Why this rule does not want the copy to go; empty when it does not mind. */
    default Optional<String> objectsTo(Plan plan, Facts.SnapshotFacts snapshot, Facts.CopyFacts copy) {
        return Optional.empty();
    }

    /** Why this rule does not want the snapshot to be deleted; empty when it does not mind. */
    default Optional<String> objectsToDeletion(Facts.SnapshotFacts snapshot) {
        return Optional.empty();
    }
}
