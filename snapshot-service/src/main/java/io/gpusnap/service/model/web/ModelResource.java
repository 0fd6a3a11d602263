package io.gpusnap.service.model.web;

import io.gpusnap.service.model.Model;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.Map;

/** A model. */
@Schema(name = "Model")
record ModelResource(
        String name, String description, Map<String, String> labels, Instant createdAt, Instant updatedAt) {

    static ModelResource of(Model model) {
        return new ModelResource(
                model.name(), model.description(), model.labels(), model.createdAt(), model.updatedAt());
    }
}
