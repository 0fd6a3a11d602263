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
import java.util.List;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.data.domain.Sort;
import org.springframework.data.jpa.domain.Specification;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** The catalogue of model versions. */
@Service
public class ModelVersions {
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
     * @throws ApiException MODEL_NOT_FOUND, NAME_TAKEN
     */
    @Transactional
    public ModelVersion create(String model, String name, VersionFacts facts) {
        models.get(model);
        if (versions.existsByModelNameAndName(model, name)) {
            throw taken(model, name);
        }
        try {
            return versions.saveAndFlush(new ModelVersion(VersionId.next(), model, name, facts, clock.now()));
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
        versions.delete(version);
        versions.flush();
    }

    private static ApiException taken(String model, String name) {
        return new ApiException(ErrorCode.NAME_TAKEN, "Model " + model + " has a version called " + name + " already.");
    }
}
