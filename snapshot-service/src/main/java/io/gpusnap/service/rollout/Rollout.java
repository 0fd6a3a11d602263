package io.gpusnap.service.rollout;

import io.gpusnap.service.platform.id.RolloutId;
import io.gpusnap.service.version.ModelVersion;
import jakarta.persistence.Column;
import jakarta.persistence.Convert;
import jakarta.persistence.Entity;
import jakarta.persistence.EnumType;
import jakarta.persistence.Enumerated;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import jakarta.persistence.Version;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.hibernate.annotations.ColumnTransformer;
import org.jspecify.annotations.Nullable;

/**
 * A version on its way to an alias, step by step. Every change is a method here that takes the database's time and says what
 * happened; it looks at nothing else, so that the same steps, measurements and times always end the same.
 */
@Entity
@Table(name = "rollout")
public class Rollout {
    @Id
    private UUID id;

    private String modelName;
    private String alias;
    private UUID stableVersionId;
    private String stableVersion;
    private UUID canaryVersionId;
    private String canaryVersion;

    @Convert(converter = StepsColumn.class)
    @Column(columnDefinition = "jsonb", updatable = false)
    @ColumnTransformer(write = "?::jsonb")
    private List<StepSpec> steps;

    @Enumerated(EnumType.STRING)
    private RolloutPhase phase;

    private Instant phaseSince;
    private String reason;
    private int stepIndex;
    private int weight;

    @Convert(converter = CanaryScaleColumn.class)
    @Column(columnDefinition = "jsonb")
    @ColumnTransformer(write = "?::jsonb")
    private @Nullable CanaryScale canaryScale;

    private long shareEpoch;
    private @Nullable Instant pausedUntil;
    private boolean heldByUser;

    @Convert(converter = AnalysisColumn.class)
    @Column(columnDefinition = "jsonb")
    @ColumnTransformer(write = "?::jsonb")
    private @Nullable AnalysisRun analysis;

    private Instant createdAt;
    private Instant startedAt;

    @Version
    private @Nullable Long version;

    /** For JPA. */
    @SuppressWarnings("NullAway.Init")
    protected Rollout() {}

    Rollout(RolloutId id, String alias, ModelVersion stable, ModelVersion canary, List<StepSpec> steps, Instant now) {
        this.id = id.value();
        this.modelName = canary.modelName();
        this.alias = alias;
        this.stableVersionId = stable.id().value();
        this.stableVersion = stable.name();
        this.canaryVersionId = canary.id().value();
        this.canaryVersion = canary.name();
        this.steps = List.copyOf(steps);
        this.phase = RolloutPhase.PROGRESSING;
        this.phaseSince = now;
        this.reason = "It was created.";
        this.createdAt = now;
        this.startedAt = now;
    }

    /** Does what is due: ends pauses, takes measurements in, does steps until one has to wait. */
    List<Happening> advance(Map<String, Measurement> measured, Instant now) {
        List<Happening> happened = new ArrayList<>();
        if (phase == RolloutPhase.PAUSED && !heldByUser && pausedUntil != null && !pausedUntil.isAfter(now)) {
            happened.add(to(RolloutPhase.PROGRESSING, RolloutEvent.Type.RESUMED, "The pause is over.", now));
            stepIndex++;
        }
        if (phase == RolloutPhase.PROGRESSING && runningAnalysis().isPresent()) {
            happened.addAll(measure(measured, now));
        }
        while (phase == RolloutPhase.PROGRESSING && runningAnalysis().isEmpty()) {
            happened.add(nextStep(now));
        }
        return happened;
    }

    private Happening nextStep(Instant now) {
        if (stepIndex >= steps.size()) {
            share(100, null);
            return to(
                    RolloutPhase.HEALTHY,
                    RolloutEvent.Type.COMPLETED,
                    "All steps are done: " + alias + " stands for " + canaryVersion + ".",
                    now);
        }
        return switch (Step.of(steps.get(stepIndex), "/steps/" + stepIndex)) {
            case Step.SetWeight set -> {
                share(set.percent(), canaryScale);
                yield done(RolloutEvent.Type.WEIGHT_SET, set.percent() + " of 100 restores get " + canaryVersion + ".");
            }
            case Step.SetCanaryScale set -> {
                CanaryScale scale = set.scale();
                share(weight, scale.replicas() == null && scale.weight() == null ? null : scale);
                yield done(
                        RolloutEvent.Type.CANARY_SCALE_SET,
                        scale.replicas() != null
                                ? scale.replicas() + " replicas get " + canaryVersion + "."
                                : scale.weight() != null
                                        ? scale.weight() + " of 100 replicas get " + canaryVersion + "."
                                        : "Replicas get " + canaryVersion + " by weight again.");
            }
            case Step.Pause pause -> {
                pausedUntil = pause.time().map(now::plus).orElse(null);
                yield to(
                        RolloutPhase.PAUSED,
                        RolloutEvent.Type.PAUSED,
                        pausedUntil == null ? "It waits to be promoted." : "It waits until " + pausedUntil + ".",
                        now);
            }
            case Step.Analyse analyse -> {
                analysis = AnalysisRun.start(stepIndex, analyse.analysis(), now);
                yield happening(
                        RolloutEvent.Type.ANALYSIS_STARTED,
                        analyse.analysis().metrics().size() + " metrics are measured.");
            }
        };
    }

    private List<Happening> measure(Map<String, Measurement> measured, Instant now) {
        AnalysisSpec spec = Objects.requireNonNull(steps.get(stepIndex).analysis());
        AnalysisRun run = Objects.requireNonNull(analysis).with(measured, spec);
        analysis = run;
        return switch (run.phase()) {
            case RUNNING -> List.of();
            case SUCCESSFUL -> {
                yield List.of(done(RolloutEvent.Type.ANALYSIS_SUCCEEDED, run.summary()));
            }
            case INCONCLUSIVE -> {
                pausedUntil = null;
                yield List.of(
                        happening(RolloutEvent.Type.ANALYSIS_INCONCLUSIVE, run.summary()),
                        to(
                                RolloutPhase.PAUSED,
                                RolloutEvent.Type.PAUSED,
                                "The analysis said nothing; it waits to be promoted or aborted.",
                                now));
            }
            case FAILED -> {
                share(0, null);
                yield List.of(
                        happening(RolloutEvent.Type.ANALYSIS_FAILED, run.summary()),
                        to(
                                RolloutPhase.DEGRADED,
                                RolloutEvent.Type.ROLLED_BACK,
                                "Every restore gets " + stableVersion + " again. " + run.summary(),
                                now));
            }
        };
    }

    /** Somebody lets it go on: over a pause or an analysis that said nothing, or with {@code full} to the end. */
    List<Happening> promote(boolean full, String why, Instant now) {
        List<Happening> happened = new ArrayList<>();
        happened.add(happening(RolloutEvent.Type.PROMOTED, why));
        if (full) {
            stepIndex = steps.size();
            analysis = null;
            phase = RolloutPhase.PROGRESSING;
        } else if (phase == RolloutPhase.PAUSED) {
            // Held in a step that waits for a promotion too, it goes on by the one promotion.
            boolean over = !heldByUser || waitsForPromotion();
            happened.add(to(RolloutPhase.PROGRESSING, RolloutEvent.Type.RESUMED, "It was promoted.", now));
            stepIndex += over ? 1 : 0;
        } else if (runningAnalysis().isPresent()) {
            stepIndex++;
        }
        heldByUser = false;
        happened.addAll(advance(Map.of(), now));
        return happened;
    }

    private boolean waitsForPromotion() {
        return stepIndex < steps.size()
                && Step.of(steps.get(stepIndex), "/steps/" + stepIndex) instanceof Step.Pause pause
                && pause.time().isEmpty();
    }

    /** Somebody holds it where it is, until somebody promotes it. A timed pause begins anew then. */
    Happening pause(String why, Instant now) {
        heldByUser = true;
        pausedUntil = null;
        return to(RolloutPhase.PAUSED, RolloutEvent.Type.PAUSED, why, now);
    }

    Happening abort(String why, Instant now) {
        share(0, null);
        heldByUser = false;
        return to(RolloutPhase.ABORTED, RolloutEvent.Type.ABORTED, why, now);
    }

    /** From the first step again. What was measured before does not count any more. */
    List<Happening> retry(String why, Instant now) {
        List<Happening> happened = new ArrayList<>();
        happened.add(to(RolloutPhase.PROGRESSING, RolloutEvent.Type.RETRIED, why, now));
        stepIndex = 0;
        analysis = null;
        startedAt = now;
        happened.addAll(advance(Map.of(), now));
        return happened;
    }

    private Happening to(RolloutPhase next, RolloutEvent.Type type, String why, Instant now) {
        phase = next;
        phaseSince = now;
        reason = why;
        return happening(type, why);
    }

    private Happening happening(RolloutEvent.Type type, String message) {
        return new Happening(type, stepIndex, message);
    }

    /** The same of a step that is over by it. */
    private Happening done(RolloutEvent.Type type, String message) {
        Happening happening = happening(type, message);
        stepIndex++;
        return happening;
    }

    private void share(int percent, @Nullable CanaryScale scale) {
        weight = percent;
        canaryScale = scale;
        shareEpoch++;
    }

    /** The analysis that the current step waits for. */
    Optional<AnalysisRun> runningAnalysis() {
        return lastAnalysis().filter(run -> run.step() == stepIndex && run.phase() == AnalysisRun.Phase.RUNNING);
    }

    /** When there is something to do next; empty while only somebody from outside can move it. */
    Optional<Instant> nextCheckAt() {
        return switch (phase) {
            case PROGRESSING -> runningAnalysis().flatMap(AnalysisRun::nextAt);
            case PAUSED -> Optional.ofNullable(pausedUntil);
            case HEALTHY, DEGRADED, ABORTED -> Optional.empty();
        };
    }

    public RolloutId id() {
        return new RolloutId(id);
    }

    public String modelName() {
        return modelName;
    }

    public String alias() {
        return alias;
    }

    public String stableVersion() {
        return stableVersion;
    }

    public String canaryVersion() {
        return canaryVersion;
    }

    public List<StepSpec> steps() {
        return steps;
    }

    public RolloutPhase phase() {
        return phase;
    }

    public Instant phaseSince() {
        return phaseSince;
    }

    /** Why it is in its phase. */
    public String reason() {
        return reason;
    }

    /** The step that is done now, from 0; as many as there are steps once all are done. */
    public int stepIndex() {
        return stepIndex;
    }

    /** So many of a hundred restores get the new version. */
    public int weight() {
        return weight;
    }

    public Optional<CanaryScale> canaryScale() {
        return Optional.ofNullable(canaryScale);
    }

    /** Grows whenever shares change; counting begins anew then. */
    long shareEpoch() {
        return shareEpoch;
    }

    /** The analysis of the current step, or the last one. */
    public Optional<AnalysisRun> lastAnalysis() {
        return Optional.ofNullable(analysis);
    }

    public Instant createdAt() {
        return createdAt;
    }

    /** Of its first step, or of the first step after a retry. */
    public Instant startedAt() {
        return startedAt;
    }

    /** For the ETag. */
    public long rowVersion() {
        return Objects.requireNonNull(version, "not saved yet");
    }
}
