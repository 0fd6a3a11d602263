package io.gpusnap.service.version;

import io.gpusnap.service.model.Models;
import io.gpusnap.service.platform.id.VersionId;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.web.IfMatch;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.annotation.Lazy;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/**
 * Aliases of models. Each move is one row change guarded by the row's version, so of two movers one wins; what was done is
 * kept in the same transaction. An alias always stands for a version that exists.
 */
@Service
public class Aliases implements VersionUse {
    /** A rollback looks this far back. */
    private static final int REMEMBERED = 500;

    private final AliasStore store;
    private final ModelVersions versions;
    private final Models models;
    private final ApplicationEventPublisher events;

    // The versions ask every VersionUse, and this is one.
    Aliases(AliasStore store, @Lazy ModelVersions versions, Models models, ApplicationEventPublisher events) {
        this.store = store;
        this.versions = versions;
        this.models = models;
        this.events = events;
    }

    /** Who moves an alias, and why. */
    public record Reason(String who, String why) {}

    /**
     * Makes an alias.
     *
     * @throws ApiException MODEL_NOT_FOUND, VERSION_NOT_FOUND, NAME_TAKEN
     */
    @Transactional
    public Alias create(String model, String name, String version, Reason reason) {
        ModelVersion to = versions.get(model, version);
        if (!store.insert(model, name, to.id())) {
            throw new ApiException(
                    ErrorCode.NAME_TAKEN, "Model " + model + " has an alias called " + name + " already; move it.");
        }
        record(model, name, AliasChange.Kind.CREATED, null, to, reason);
        return get(model, name);
    }

    /**
     * Reads an alias.
     *
     * @throws ApiException MODEL_NOT_FOUND, ALIAS_NOT_FOUND
     */
    @Transactional(readOnly = true)
    public Alias get(String model, String name) {
        return store.find(model, name).orElseThrow(() -> {
            models.get(model);
            return new ApiException(ErrorCode.ALIAS_NOT_FOUND, "Model " + model + " has no alias called " + name + ".");
        });
    }

    @Transactional(readOnly = true)
    public Optional<Alias> find(String model, String name) {
        return store.find(model, name);
    }

    /**
     * Reads an alias and holds it: until the caller's transaction ends nobody moves it.
     *
     * @throws ApiException MODEL_NOT_FOUND, ALIAS_NOT_FOUND
     */
    @Transactional(propagation = Propagation.MANDATORY)
    public Alias hold(String model, String name) {
        store.hold(model, name);
        return get(model, name);
    }

    /** The same for an alias that may be gone. */
    @Transactional(propagation = Propagation.MANDATORY)
    public void holdIfThere(String model, String name) {
        store.hold(model, name);
    }

    /** By name. */
    @Transactional(readOnly = true)
    public Page<Alias> list(String model, PageQuery query) {
        models.get(model);
        return Page.of(query, store.list(model, query), Alias::name);
    }

    /** Newest first; also of an alias that was deleted. */
    @Transactional(readOnly = true)
    public Page<AliasChange> history(String model, String name, PageQuery query) {
        models.get(model);
        return Page.of(
                query, store.changes(model, name, query), change -> change.id().toString());
    }

    /**
     * Lets the alias stand for another version.
     *
     * @throws ApiException VERSION_NOT_FOUND, ALIAS_NOT_FOUND, PRECONDITION_FAILED
     */
    @Transactional
    public Alias promote(String model, String name, String version, IfMatch ifMatch, Reason reason) {
        Alias seen = get(model, name);
        ifMatch.check(seen.rowVersion());
        return move(seen, versions.get(model, version), AliasChange.Kind.PROMOTED, reason);
    }

    /** The same at the end of a rollout, which has the alias in its hands. */
    @Transactional
    public Alias rolledOut(String model, String name, String version, Reason reason) {
        return move(get(model, name), versions.get(model, version), AliasChange.Kind.ROLLED_OUT, reason);
    }

    /**
     * Lets the alias stand for the version before. Rolled back again, it goes to the one before that, not back again.
     *
     * @throws ApiException ALIAS_NOT_FOUND, PRECONDITION_FAILED; CONFLICT when there is none before, or it was deleted
     */
    @Transactional
    public Alias rollBack(String model, String name, IfMatch ifMatch, Reason reason) {
        Alias seen = get(model, name);
        ifMatch.check(seen.rowVersion());
        String before = before(seen)
                .orElseThrow(() -> new ApiException(
                        ErrorCode.CONFLICT, "Alias " + name + " of " + model + " stood for no other version before."));
        ModelVersion to;
        try {
            to = versions.get(model, before);
        } catch (ApiException gone) {
            throw new ApiException(
                    ErrorCode.CONFLICT,
                    "Version " + before + ", which alias " + name + " stood for before, was deleted.");
        }
        return move(seen, to, AliasChange.Kind.ROLLED_BACK, reason);
    }

    /**
     * Deletes the alias; its history stays.
     *
     * @throws ApiException ALIAS_NOT_FOUND, PRECONDITION_FAILED
     */
    @Transactional
    public void delete(String model, String name, IfMatch ifMatch, Reason reason) {
        Alias seen = get(model, name);
        ifMatch.check(seen.rowVersion());
        if (!store.delete(seen)) {
            throw moved(seen);
        }
        store.record(model, name, AliasChange.Kind.DELETED, seen.versionName(), null, reason.who(), reason.why());
        events.publishEvent(new AliasMoved(
                model, name, seen.versionId(), seen.versionName(), seen.versionName(), AliasChange.Kind.DELETED));
    }

    @Override
    public Optional<String> whyNeeded(VersionId version) {
        List<String> names = store.of(version);
        return names.isEmpty()
                ? Optional.empty()
                : Optional.of("is what alias " + String.join(", ", names) + " stands for");
    }

    private Alias move(Alias seen, ModelVersion to, AliasChange.Kind kind, Reason reason) {
        if (!store.move(seen, to.id())) {
            throw moved(seen);
        }
        record(seen.model(), seen.name(), kind, seen.versionName(), to, reason);
        return get(seen.model(), seen.name());
    }

    private void record(
            String model, String name, AliasChange.Kind kind, @Nullable String from, ModelVersion to, Reason reason) {
        store.record(model, name, kind, from, to.name(), reason.who(), reason.why());
        events.publishEvent(new AliasMoved(model, name, to.id(), to.name(), from, kind));
    }

    /** Moves forward pile up, and each rollback takes one off. */
    private Optional<String> before(Alias alias) {
        Deque<String> pile = new ArrayDeque<>();
        PageQuery all = new PageQuery(REMEMBERED, Optional.empty(), "");
        for (AliasChange change :
                store.changes(alias.model(), alias.name(), all).reversed()) {
            String to = change.toVersion();
            if (to == null) {
                pile.clear();
            } else if (change.kind() == AliasChange.Kind.ROLLED_BACK && !pile.isEmpty()) {
                pile.pop();
            } else if (!to.equals(pile.peek())) {
                pile.push(to);
            }
        }
        return pile.stream().skip(1).findFirst();
    }

    private static ApiException moved(Alias seen) {
        return new ApiException(
                ErrorCode.PRECONDITION_FAILED,
                "Alias " + seen.name() + " of " + seen.model() + " was moved meanwhile.");
    }
}
