package io.gpusnap.service.rollout;

import io.gpusnap.service.platform.id.RolloutId;
import io.gpusnap.service.platform.id.VersionId;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.transaction.Constraints;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.platform.web.IfMatch;
import io.gpusnap.service.version.Alias;
import io.gpusnap.service.version.Aliases;
import io.gpusnap.service.version.ModelVersion;
import io.gpusnap.service.version.ModelVersions;
import io.gpusnap.service.version.VersionUse;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.springframework.context.annotation.Lazy;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.data.domain.Sort;
import org.springframework.data.jpa.domain.Specification;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Rollouts as callers see them. What they do by themselves, {@link RolloutLoop} does. */
@Service
public class Rollouts implements VersionUse {
    private final RolloutRepository repository;
    private final RolloutStore store;
    private final Allotments allotments;
    private final RolloutChanges changes;
    private final Aliases aliases;
    private final ModelVersions versions;
    private final PrometheusQueries prometheus;
    private final DatabaseClock clock;

    // The versions ask every VersionUse, and this is one.
    Rollouts(
            RolloutRepository repository,
            RolloutStore store,
            Allotments allotments,
            RolloutChanges changes,
            Aliases aliases,
            @Lazy ModelVersions versions,
            PrometheusQueries prometheus,
            DatabaseClock clock) {
        this.repository = repository;
        this.store = store;
        this.allotments = allotments;
        this.changes = changes;
        this.aliases = aliases;
        this.versions = versions;
        this.prometheus = prometheus;
        this.clock = clock;
    }

    /**
     * A rollout, and who got what.
     *
     * @param restores counted since the shares last changed
     * @param canaryRestores those of them that got the new version
     */
    public record View(Rollout rollout, long restores, long canaryRestores) {}

    /** Who does something, and why. */
    public record Reason(String who, String why) {}

    /**
     * Begins a rollout and does its first steps.
     *
     * @throws ApiException INVALID_REQUEST, MODEL_NOT_FOUND, ALIAS_NOT_FOUND, VERSION_NOT_FOUND; CONFLICT when the alias
     *     stands for the version already, has a rollout on its way, or the version never had a READY snapshot
     */
    @Transactional
    public View create(String model, String aliasName, String version, List<StepSpec> steps, Reason by) {
        StepChecks.check(steps, prometheus.isConfigured());
        Alias alias = aliases.hold(model, aliasName);
        ModelVersion canary = versions.get(model, version);
        ModelVersion stable = versions.get(model, alias.versionName());
        if (canary.id().equals(stable.id())) {
            throw conflict("Alias " + aliasName + " stands for version " + version + " already.");
        }
        if (canary.frozenAt().isEmpty()) {
            throw conflict("Version " + version + " has no READY snapshot yet; every restore of it would be cold.");
        }
        Rollout rollout = insert(new Rollout(RolloutId.next(), aliasName, stable, canary, steps, clock.now()));
        allotments.open(rollout.id());
        changes.apply(
                rollout,
                List.of(new Happening(
                        RolloutEvent.Type.STARTED,
                        rollout.stepIndex(),
                        "From " + stable.name() + " to " + canary.name() + ": " + by.why())),
                by.who());
        changes.apply(rollout, rollout.advance(Map.of(), clock.now()), RolloutChanges.ITSELF);
        return view(rollout);
    }

    /**
     * Reads a rollout.
     *
     * @throws ApiException ROLLOUT_NOT_FOUND
     */
    @Transactional(readOnly = true)
    public View get(RolloutId id) {
        return view(repository.findById(id.value()).orElseThrow(() -> notFound(id)));
    }

    /** Newest first; a filter that is null filters nothing. */
    @Transactional(readOnly = true)
    public Page<View> list(@Nullable String model, @Nullable RolloutPhase phase, PageQuery query) {
        Specification<Rollout> where = equal("modelName", model).and(equal("phase", phase));
        Specification<Rollout> page = query.afterId()
                .map(after -> where.and((root, criteria, build) -> build.lessThan(root.get("id"), after)))
                .orElse(where);
        return Page.of(
                        query,
                        repository.findBy(
                                page,
                                found -> found.sortBy(Sort.by(Sort.Direction.DESC, "id"))
                                        .limit(query.size() + 1)
                                        .all()),
                        rollout -> rollout.id().toString())
                .map(this::view);
    }

    /** Newest first. */
    @Transactional(readOnly = true)
    public Page<RolloutEvent> events(RolloutId id, PageQuery query) {
        get(id);
        return Page.of(query, store.events(id, query), event -> event.id().toString());
    }

    /** Over the pause that it waits in, or with {@code full} to its end. */
    @Transactional
    public View promote(RolloutId id, boolean full, IfMatch ifMatch, Reason by) {
        return change(id, ifMatch, by, true, (rollout, now) -> rollout.promote(full, by.why(), now));
    }

    /** Holds it where it is. */
    @Transactional
    public View pause(RolloutId id, IfMatch ifMatch, Reason by) {
        return change(id, ifMatch, by, true, (rollout, now) -> List.of(rollout.pause(by.why(), now)));
    }

    /** Every restore gets the version before again. */
    @Transactional
    public View abort(RolloutId id, IfMatch ifMatch, Reason by) {
        return change(id, ifMatch, by, true, (rollout, now) -> List.of(rollout.abort(by.why(), now)));
    }

    /**
     * From the first step again, once it is DEGRADED or ABORTED.
     *
     * @throws ApiException CONFLICT also when the alias has moved or another rollout of it is on its way
     */
    @Transactional
    public View retry(RolloutId id, IfMatch ifMatch, Reason by) {
        return change(id, ifMatch, by, false, (rollout, now) -> {
            Alias alias = aliases.get(rollout.modelName(), rollout.alias());
            if (!alias.versionName().equals(rollout.stableVersion())) {
                throw conflict("Alias " + alias.name() + " stands for " + alias.versionName() + " by now, not for "
                        + rollout.stableVersion() + "; begin a new rollout.");
            }
            return rollout.retry(by.why(), now);
        });
    }

    private View change(
            RolloutId id,
            IfMatch ifMatch,
            Reason by,
            boolean active,
            BiFunction<Rollout, Instant, List<Happening>> how) {
        Rollout rollout = changes.lock(id).orElseThrow(() -> notFound(id));
        ifMatch.check(rollout.rowVersion());
        if (rollout.phase() == RolloutPhase.HEALTHY || rollout.phase().isActive() != active) {
            throw conflict("The rollout is " + rollout.phase() + ".");
        }
        try {
            changes.apply(rollout, how.apply(rollout, clock.now()), by.who());
        } catch (DataIntegrityViolationException e) {
            throw Constraints.isViolated(e, "rollout_one_active_per_alias") ? another(rollout) : e;
        }
        return view(rollout);
    }

    private Rollout insert(Rollout rollout) {
        try {
            return repository.saveAndFlush(rollout);
        } catch (DataIntegrityViolationException e) {
            throw Constraints.isViolated(e, "rollout_one_active_per_alias") ? another(rollout) : e;
        }
    }

    @Override
    public Optional<String> whyNeeded(VersionId version) {
        long active = store.activeWith(version);
        return active == 0 ? Optional.empty() : Optional.of("is in a rollout that is on its way");
    }

    private View view(Rollout rollout) {
        Shares counted = allotments.counted(rollout.id());
        return new View(rollout, counted.total(), counted.canary());
    }

    private static ApiException another(Rollout rollout) {
        return conflict("Alias " + rollout.alias() + " of " + rollout.modelName()
                + " has a rollout on its way; end that one first.");
    }

    private static ApiException conflict(String detail) {
        return new ApiException(ErrorCode.CONFLICT, detail);
    }

    private static ApiException notFound(RolloutId id) {
        return new ApiException(ErrorCode.ROLLOUT_NOT_FOUND, "No rollout has the id " + id + ".");
    }

    private static Specification<Rollout> equal(String attribute, @Nullable Object value) {
        return (root, criteria, build) -> value == null ? build.conjunction() : build.equal(root.get(attribute), value);
    }
}
