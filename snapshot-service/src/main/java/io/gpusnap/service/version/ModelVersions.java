package io.gpusnap.service.version;

import io.gpusnap.service.model.Models;
import io.gpusnap.service.platform.id.VersionId;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.transaction.Constraints;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.platform.web.IfMatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.data.domain.Sort;
import org.springframework.data.jpa.domain.Specification;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** The catalogue of model versions. */
@Service
public class ModelVersions {
    private static final int LONGEST_LINEAGE = 100;

    private final ModelVersionRepository versions;
    private final Models models;
    private final List<VersionUse> uses;
    private final DatabaseClock clock;

    ModelVersions(ModelVersionRepository versions, Models models, List<VersionUse> uses, DatabaseClock clock) {
        this.versions = versions;
        this.models = models;
        this.uses = List.copyOf(uses);
        this.clock = clock;
    }

    /**
     * Adds a version to a model.
     *
     * @param parent the version of the same model that it was made from
     * @throws ApiException MODEL_NOT_FOUND, NAME_TAKEN, VERSION_NOT_FOUND for the parent
     */
    @Transactional
    public ModelVersion create(String model, String name, @Nullable String parent, VersionFacts facts) {
        models.get(model);
        if (parent != null) {
            get(model, parent);
        }
        if (versions.existsByModelNameAndName(model, name)) {
            throw taken(model, name);
        }
        try {
            return versions.saveAndFlush(new ModelVersion(VersionId.next(), model, name, parent, facts, clock.now()));
        } catch (DataIntegrityViolationException e) {
            throw Constraints.isViolated(e, "model_version_name") ? taken(model, name) : e;
        }
    }

    /**
     * Reads a version.
     *
     * @throws ApiException MODEL_NOT_FOUND, VERSION_NOT_FOUND
     */
    @Transactional(readOnly = true)
    public ModelVersion get(String model, String name) {
        return versions.findByModelNameAndName(model, name).orElseThrow(() -> {
            models.get(model);
            return new ApiException(
                    ErrorCode.VERSION_NOT_FOUND, "Model " + model + " has no version called " + name + ".");
        });
    }

    /** The version and those that it was made from, the version first; ends where one was deleted. */
    @Transactional(readOnly = true)
    public List<ModelVersion> lineage(String model, String name) {
        List<ModelVersion> lineage = new ArrayList<>();
        Optional<ModelVersion> next = Optional.of(get(model, name));
        while (next.isPresent() && lineage.size() < LONGEST_LINEAGE) {
            lineage.add(next.get());
            next = next.get().parent().flatMap(parent -> versions.findByModelNameAndName(model, parent));
        }
        return lineage;
    }

    public Optional<ModelVersion> find(String model, String name) {
        return versions.findByModelNameAndName(model, name);
    }

    public Optional<ModelVersion> find(VersionId id) {
        return versions.findById(id.value());
    }

    /** A snapshot of the version is READY; what it is a snapshot of does not change any more. */
    @Transactional(propagation = Propagation.MANDATORY)
    public void freeze(VersionId id) {
        versions.freeze(id.value(), clock.now());
    }

    /** Newest first. */
    @Transactional(readOnly = true)
    public Page<ModelVersion> list(String model, PageQuery query) {
        models.get(model);
        Specification<ModelVersion> ofModel = (root, criteria, build) -> build.equal(root.get("modelName"), model);
        Specification<ModelVersion> page = query.afterId()
                .map(after -> ofModel.and((root, criteria, build) -> build.lessThan(root.get("id"), after)))
                .orElse(ofModel);
        return Page.of(
                query,
                versions.findBy(
                        page,
                        found -> found.sortBy(Sort.by(Sort.Direction.DESC, "id"))
                                .limit(query.size() + 1)
                                .all()),
                version -> version.id().toString());
    }

    /** Null leaves a part as it is. */
    @Transactional
    public ModelVersion change(String model, String name, VersionFacts facts, IfMatch ifMatch) {
        ModelVersion version = get(model, name);
        ifMatch.check(version.rowVersion());
        version.change(facts, clock.now());
        return versions.saveAndFlush(version);
    }

    /**
     * Deletes a version that nothing needs.
     *
     * @throws ApiException IN_USE while something needs it
     */
    @Transactional
    public void delete(String model, String name, IfMatch ifMatch) {
        ModelVersion version = get(model, name);
        ifMatch.check(version.rowVersion());
        for (VersionUse use : uses) {
            use.whyNeeded(version.id()).ifPresent(reason -> {
                throw new ApiException(ErrorCode.IN_USE, "Version " + name + " of " + model + " " + reason + ".");
            });
        }
        try {
            versions.delete(version);
            versions.flush();
        } catch (DataIntegrityViolationException e) {
            throw Constraints.isViolated(e, "model_alias_version")
                    ? new ApiException(ErrorCode.IN_USE, "An alias of " + model + " was moved to version " + name + ".")
                    : e;
        }
    }

    private static ApiException taken(String model, String name) {
        return new ApiException(ErrorCode.NAME_TAKEN, "Model " + model + " has a version called " + name + " already.");
    }
}
