package io.gpusnap.service.version.web;

import io.gpusnap.service.platform.idempotency.Created;
import io.gpusnap.service.platform.idempotency.IdempotencyKey;
import io.gpusnap.service.platform.idempotency.IdempotentCreates;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.validation.DnsLabel;
import io.gpusnap.service.platform.web.ETags;
import io.gpusnap.service.platform.web.IfMatch;
import io.gpusnap.service.version.AnswerOracle;
import io.gpusnap.service.version.ModelVersion;
import io.gpusnap.service.version.ModelVersions;
import io.gpusnap.service.version.VersionFacts;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Size;
import java.util.List;
import java.util.Map;
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

/** Model versions. */
@RestController
@RequestMapping("/api/v1/models/{model}/versions")
@Tag(name = "Model versions", description = "What a snapshot is a snapshot of")
class VersionController {
    private final ModelVersions versions;
    private final IdempotentCreates creates;

    VersionController(ModelVersions versions, IdempotentCreates creates) {
        this.versions = versions;
        this.creates = creates;
    }

    /** A new version. */
    record CreateVersionRequest(
            @NotNull @DnsLabel String name,
            @Size(min = 1, max = 500) @Nullable String image,
            @Nullable @Size(max = 500) List<@NotNull @Size(max = 4096) String> engineArguments,
            @Size(min = 1, max = 200) @Nullable String framework,
            @Size(min = 1, max = 200) @Nullable String fingerprint,
            @Size(min = 1, max = 63) @Nullable String parent,
            @Size(min = 1, max = 2000) @Nullable String changes,
            @Nullable @Size(max = 64) List<@NotNull @Size(min = 1, max = 63) String> tags,
            @Valid @Nullable AnswerOracle oracle,
            @Nullable @Size(max = 64) Map<@Size(min = 1, max = 63) String, @NotNull @Size(max = 255) String> labels) {

        VersionFacts facts() {
            return new VersionFacts(image, engineArguments, framework, fingerprint, changes, tags, oracle, labels);
        }
    }

    /** A change; what is absent stays as it is, lists and labels are replaced as a whole. */
    record PatchVersionRequest(
            @Size(min = 1, max = 500) @Nullable String image,
            @Nullable @Size(max = 500) List<@NotNull @Size(max = 4096) String> engineArguments,
            @Size(min = 1, max = 200) @Nullable String framework,
            @Size(min = 1, max = 200) @Nullable String fingerprint,
            @Size(min = 1, max = 2000) @Nullable String changes,
            @Nullable @Size(max = 64) List<@NotNull @Size(min = 1, max = 63) String> tags,
            @Valid @Nullable AnswerOracle oracle,
            @Nullable @Size(max = 64) Map<@Size(min = 1, max = 63) String, @NotNull @Size(max = 255) String> labels) {

        VersionFacts facts() {
            return new VersionFacts(image, engineArguments, framework, fingerprint, changes, tags, oracle, labels);
        }
    }

    @PostMapping
    @Operation(operationId = "createVersion", summary = "Create a model version")
    @ApiResponse(responseCode = "201", description = "Created")
    @ApiResponse(responseCode = "409", description = "NAME_TAKEN, or the key's first request still runs")
    ResponseEntity<VersionResource> create(
            @PathVariable String model,
            @Valid @RequestBody CreateVersionRequest request,
            @Parameter(hidden = true) IdempotencyKey key) {
        return creates.once(key, request, VersionResource.class, () -> {
            ModelVersion version = versions.create(model, request.name(), request.parent(), request.facts());
            return new Created<>(
                    201,
                    "/api/v1/models/" + model + "/versions/" + version.name(),
                    ETags.of(version.rowVersion()),
                    VersionResource.of(version));
        });
    }

    @GetMapping
    @Operation(operationId = "listVersions", summary = "List a model's versions, newest first")
    Page<VersionResource> list(
            @PathVariable String model,
            @RequestParam(required = false) @Nullable Integer pageSize,
            @RequestParam(required = false) @Nullable String pageToken) {
        return versions.list(model, PageQuery.of("versions", pageSize, pageToken, model))
                .map(VersionResource::of);
    }

    @GetMapping("/{version}")
    @Operation(operationId = "getVersion", summary = "Read a model version")
    ResponseEntity<VersionResource> get(@PathVariable String model, @PathVariable String version) {
        return response(versions.get(model, version));
    }

    /** The lineage of a version, the version itself first. */
    record LineageReply(List<LineageStep> steps) {}

    @GetMapping("/{version}/lineage")
    @Operation(
            operationId = "getVersionLineage",
            summary = "From a version back to the first one that it was made from",
            description = "Each step says what changed against its parent: in words, and fact by fact.")
    LineageReply lineage(@PathVariable String model, @PathVariable String version) {
        return new LineageReply(LineageStep.of(versions.lineage(model, version)));
    }

    @PatchMapping("/{version}")
    @Operation(
            operationId = "patchVersion",
            summary = "Change what is said of a model version",
            description = "Once a snapshot of it is READY, image, engineArguments, framework and fingerprint stay.")
    @ApiResponse(responseCode = "200", description = "Changed")
    @ApiResponse(responseCode = "409", description = "VERSION_IMMUTABLE: a READY snapshot is of exactly these facts")
    ResponseEntity<VersionResource> patch(
            @PathVariable String model,
            @PathVariable String version,
            @Valid @RequestBody PatchVersionRequest request,
            @Parameter(hidden = true) IfMatch ifMatch) {
        return response(versions.change(model, version, request.facts(), ifMatch));
    }

    @DeleteMapping("/{version}")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    @Operation(operationId = "deleteVersion", summary = "Delete a model version without snapshots and aliases")
    @ApiResponse(responseCode = "204", description = "Deleted")
    @ApiResponse(responseCode = "409", description = "IN_USE: it has snapshots, or an alias stands for it")
    void delete(@PathVariable String model, @PathVariable String version, @Parameter(hidden = true) IfMatch ifMatch) {
        versions.delete(model, version, ifMatch);
    }

    private static ResponseEntity<VersionResource> response(ModelVersion version) {
        return ResponseEntity.ok().eTag(ETags.of(version.rowVersion())).body(VersionResource.of(version));
    }
}
