package io.gpusnap.service.restore.web;

import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.restore.CompatibilityMatrix;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Which node could run which snapshots of a version. */
@RestController
@Tag(name = "Model versions", description = "What a snapshot is a snapshot of")
class CompatibilityController {
    private final CompatibilityMatrix matrix;

    CompatibilityController(CompatibilityMatrix matrix) {
        this.matrix = matrix;
    }

    @GetMapping("/api/v1/models/{model}/versions/{version}/compatibility")
    @Operation(
            operationId = "getVersionCompatibility",
            summary = "Which node could run which snapshots of a version",
            description =
                    "The version's compatibility classes, and for each node of the page every reason against each of them.")
    CompatibilityMatrix.Matrix get(
            @PathVariable String model,
            @PathVariable String version,
            @RequestParam(required = false) @Nullable Integer pageSize,
            @RequestParam(required = false) @Nullable String pageToken) {
        return matrix.of(model, version, PageQuery.of("compatibility", pageSize, pageToken, model, version));
    }
}
