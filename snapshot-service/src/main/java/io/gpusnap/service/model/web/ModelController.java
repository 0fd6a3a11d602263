package io.gpusnap.service.model.web;

import io.gpusnap.service.model.Model;
import io.gpusnap.service.model.Models;
import io.gpusnap.service.platform.idempotency.Created;
import io.gpusnap.service.platform.idempotency.IdempotencyKey;
import io.gpusnap.service.platform.idempotency.IdempotentCreates;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.validation.DnsLabel;
import io.gpusnap.service.platform.web.ETags;
import io.gpusnap.service.platform.web.IfMatch;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Size;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PatchMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Models. */
@RestController
@RequestMapping("/api/v1/models")
@Tag(name = "Models", description = "Names under which versions and snapshots are kept")
class ModelController {
    private final Models models;
    private final IdempotentCreates creates;

    ModelController(Models models, IdempotentCreates creates) {
        this.models = models;
        this.creates = creates;
    }

    /** A new model. */
    record CreateModelRequest(
            @NotNull @DnsLabel String name,
            @Size(max = 2000) @Nullable String description,
            @Nullable @Size(max = 64) Map<@Size(min = 1, max = 63) String, @NotNull @Size(max = 255) String> labels) {}

    /** A change; what is absent stays as it is, labels are replaced as a whole. */
    record PatchModelRequest(
            @Size(max = 2000) @Nullable String description,
            @Nullable @Size(max = 64) Map<@Size(min = 1, max = 63) String, @NotNull @Size(max = 255) String> labels) {}

    @PostMapping
    @Operation(operationId = "createModel", summary = "Create a model")
    @ApiResponse(responseCode = "201", description = "Created")
    @ApiResponse(responseCode = "409", description = "NAME_TAKEN, or the key's first request still runs")
    ResponseEntity<ModelResource> create(
            @Valid @RequestBody CreateModelRequest request, @Parameter(hidden = true) IdempotencyKey key) {
        return creates.once(key, request, ModelResource.class, () -> {
            Model model = models.create(
                    request.name(),
                    Objects.requireNonNullElse(request.description(), ""),
                    Objects.requireNonNullElse(request.labels(), Map.of()));
            return new Created<>(
                    201, "/api/v1/models/" + model.name(), ETags.of(model.rowVersion()), ModelResource.of(model));
        });
    }

    @GetMapping
    @Operation(operationId = "listModels", summary = "List models by name")
    Page<ModelResource> list(
            @RequestParam(required = false) @Nullable Integer pageSize,
            @RequestParam(required = false) @Nullable String pageToken) {
        return models.list(PageQuery.of("models", pageSize, pageToken)).map(ModelResource::of);
    }

    @GetMapping("/{model}")
    @Operation(operationId = "getModel", summary = "Read a model")
    ResponseEntity<ModelResource> get(@PathVariable String model) {
        return response(models.get(model));
    }

    @PatchMapping("/{model}")
    @Operation(operationId = "patchModel", summary = "Change a model's description or labels")
    ResponseEntity<ModelResource> patch(
            @PathVariable String model,
            @Valid @RequestBody PatchModelRequest request,
            @Parameter(hidden = true) IfMatch ifMatch) {
        return response(models.change(model, request.description(), request.labels(), ifMatch));
    }

    @DeleteMapping("/{model}")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    @Operation(operationId = "deleteModel", summary = "Delete a model without versions")
    @ApiResponse(responseCode = "204", description = "Deleted")
    @ApiResponse(responseCode = "409", description = "IN_USE: it has versions")
    void delete(@PathVariable String model, @Parameter(hidden = true) IfMatch ifMatch) {
        models.delete(model, ifMatch);
    }

    private static ResponseEntity<ModelResource> response(Model model) {
        return ResponseEntity.ok().eTag(ETags.of(model.rowVersion())).body(ModelResource.of(model));
    }
}
