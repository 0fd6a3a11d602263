package io.gpusnap.service.model;

import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.transaction.Constraints;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.platform.web.IfMatch;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.data.domain.Sort;
import org.springframework.data.jpa.domain.Specification;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** The catalogue of models. */
@Service
public class Models {
    private final ModelRepository models;
    private final DatabaseClock clock;

    Models(ModelRepository models, DatabaseClock clock) {
        this.models = models;
        this.clock = clock;
    }

    /**
     * Adds a model.
     *
     * @throws ApiException NAME_TAKEN
     */
    @Transactional
    public Model create(String name, String description, Map<String, String> labels) {
        if (models.existsById(name)) {
            throw taken(name);
        }
        try {
            return models.saveAndFlush(new Model(name, description, labels, clock.now()));
        } catch (DataIntegrityViolationException e) {
            throw Constraints.isViolated(e, "model_pkey") ? taken(name) : e;
        }
    }

    /**
     * Reads a model.
     *
     * @throws ApiException MODEL_NOT_FOUND
     */
    @Transactional(readOnly = true)
    public Model get(String name) {
        return find(name)
                .orElseThrow(() -> new ApiException(ErrorCode.MODEL_NOT_FOUND, "No model is called " + name + "."));
    }

    @Transactional(readOnly = true)
    public Optional<Model> find(String name) {
        return models.findById(name);
    }

    /** By name. */
    @Transactional(readOnly = true)
    public Page<Model> list(PageQuery query) {
        Specification<Model> after = query.after()
                .<Specification<Model>>map(name -> (root, criteria, build) -> build.greaterThan(root.get("name"), name))
                .orElse((root, criteria, build) -> build.conjunction());
        return Page.of(
                query,
                models.findBy(
                        after,
                        found -> found.sortBy(Sort.by("name"))
                                .limit(query.size() + 1)
                                .all()),
                Model::name);
    }

    /** Null leaves a part as it is. */
    @Transactional
    public Model change(
            String name, @Nullable String description, @Nullable Map<String, String> labels, IfMatch ifMatch) {
        Model model = get(name);
        ifMatch.check(model.rowVersion());
        model.change(description, labels, clock.now());
        return models.saveAndFlush(model);
    }

    /**
     * Deletes a model that has no versions.
     *
     * @throws ApiException IN_USE while it has versions
     */
    @Transactional
    public void delete(String name, IfMatch ifMatch) {
        Model model = get(name);
        ifMatch.check(model.rowVersion());
        try {
            models.delete(model);
            models.flush();
        } catch (DataIntegrityViolationException e) {
            throw Constraints.isViolated(e, "model_version_model")
                    ? new ApiException(ErrorCode.IN_USE, "Model " + name + " has versions; delete them first.")
                    : e;
        }
    }

    private static ApiException taken(String name) {
        return new ApiException(ErrorCode.NAME_TAKEN, "There is a model called " + name + " already.");
    }
}
