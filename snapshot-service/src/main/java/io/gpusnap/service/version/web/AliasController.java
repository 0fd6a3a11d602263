package io.gpusnap.service.version.web;

import io.gpusnap.service.platform.idempotency.Created;
import io.gpusnap.service.platform.idempotency.IdempotencyKey;
import io.gpusnap.service.platform.idempotency.IdempotentCreates;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.validation.DnsLabel;
import io.gpusnap.service.platform.web.ETags;
import io.gpusnap.service.platform.web.IfMatch;
import io.gpusnap.service.version.Alias;
import io.gpusnap.service.version.AliasChange;
import io.gpusnap.service.version.Aliases;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Size;
import java.security.Principal;
import java.time.Instant;
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

/** Aliases of models. */
@RestController
@RequestMapping("/api/v1/models/{model}/aliases")
@Tag(name = "Aliases", description = "Names that move from version to version, with their history")
class AliasController {
    private final Aliases aliases;
    private final IdempotentCreates creates;

    AliasController(Aliases aliases, IdempotentCreates creates) {
        this.aliases = aliases;
        this.creates = creates;
    }

    /** An alias. */
    @Schema(name = "Alias")
    record AliasResource(String model, String name, String version, Instant createdAt, Instant updatedAt) {
        static AliasResource of(Alias alias) {
            return new AliasResource(
                    alias.model(), alias.name(), alias.versionName(), alias.createdAt(), alias.updatedAt());
        }
    }

    /** A new alias. */
    record CreateAliasRequest(
            @NotNull @DnsLabel String name,
            @NotBlank String version,
            @Size(min = 1, max = 500) @Nullable String reason) {}

    /** The version that the alias is to stand for. */
    record PromoteAliasRequest(
            @NotBlank String version,
            @Size(min = 1, max = 500) @Nullable String reason) {}

    /** Back to the version before. */
    record RollBackAliasRequest(
            @Size(min = 1, max = 500) @Nullable String reason) {}

    @PostMapping
    @Operation(operationId = "createAlias", summary = "Create an alias")
    @ApiResponse(responseCode = "201", description = "Created")
    @ApiResponse(responseCode = "409", description = "NAME_TAKEN, or the key's first request still runs")
    ResponseEntity<AliasResource> create(
            @PathVariable String model,
            @Valid @RequestBody CreateAliasRequest request,
            @Parameter(hidden = true) IdempotencyKey key,
            @Parameter(hidden = true) Principal caller) {
        return creates.once(key, request, AliasResource.class, () -> {
            Alias alias = aliases.create(
                    model, request.name(), request.version(), reason(caller, request.reason(), "created"));
            return new Created<>(
                    201,
                    "/api/v1/models/" + model + "/aliases/" + alias.name(),
                    ETags.of(alias.rowVersion()),
                    AliasResource.of(alias));
        });
    }

    @GetMapping
    @Operation(operationId = "listAliases", summary = "List a model's aliases by name")
    Page<AliasResource> list(
            @PathVariable String model,
            @RequestParam(required = false) @Nullable Integer pageSize,
            @RequestParam(required = false) @Nullable String pageToken) {
        return aliases.list(model, PageQuery.of("aliases", pageSize, pageToken, model))
                .map(AliasResource::of);
    }

    @GetMapping("/{alias}")
    @Operation(operationId = "getAlias", summary = "Read an alias")
    ResponseEntity<AliasResource> get(@PathVariable String model, @PathVariable String alias) {
        return response(aliases.get(model, alias));
    }

    @PatchMapping("/{alias}")
    @Operation(
            operationId = "promoteAlias",
            summary = "Let an alias stand for another version",
            description =
                    "The next restore of the alias takes that version. A rollout of the alias that is on its way ends.")
    ResponseEntity<AliasResource> promote(
            @PathVariable String model,
            @PathVariable String alias,
            @Valid @RequestBody PromoteAliasRequest request,
            @Parameter(hidden = true) IfMatch ifMatch,
            @Parameter(hidden = true) Principal caller) {
        return response(aliases.promote(
                model, alias, request.version(), ifMatch, reason(caller, request.reason(), "promoted")));
    }

    @PostMapping("/{alias}/rollback")
    @Operation(
            operationId = "rollBackAlias",
            summary = "Let an alias stand for the version before",
            description =
                    "Takes effect with the next restore. Again, it goes one version further back. A rollout of the alias that is on its way ends.")
    @ApiResponse(responseCode = "200", description = "Moved")
    @ApiResponse(responseCode = "409", description = "CONFLICT: there is no version before, or it was deleted")
    ResponseEntity<AliasResource> rollBack(
            @PathVariable String model,
            @PathVariable String alias,
            @Valid @RequestBody RollBackAliasRequest request,
            @Parameter(hidden = true) IfMatch ifMatch,
            @Parameter(hidden = true) Principal caller) {
        return response(aliases.rollBack(model, alias, ifMatch, reason(caller, request.reason(), "rolled back")));
    }

    @DeleteMapping("/{alias}")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    @Operation(operationId = "deleteAlias", summary = "Delete an alias; its history stays")
    @ApiResponse(responseCode = "204", description = "Deleted")
    void delete(
            @PathVariable String model,
            @PathVariable String alias,
            @Parameter(hidden = true) IfMatch ifMatch,
            @Parameter(hidden = true) Principal caller) {
        aliases.delete(model, alias, ifMatch, reason(caller, null, "deleted"));
    }

    @GetMapping("/{alias}/history")
    @Operation(operationId = "listAliasHistory", summary = "Every move of an alias, newest first, with who and why")
    Page<AliasChange> history(
            @PathVariable String model,
            @PathVariable String alias,
            @RequestParam(required = false) @Nullable Integer pageSize,
            @RequestParam(required = false) @Nullable String pageToken) {
        return aliases.history(model, alias, PageQuery.of("alias-history", pageSize, pageToken, model, alias));
    }

    private static Aliases.Reason reason(Principal caller, @Nullable String given, String otherwise) {
        return new Aliases.Reason(caller.getName(), given == null ? otherwise : given);
    }

    private static ResponseEntity<AliasResource> response(Alias alias) {
        return ResponseEntity.ok().eTag(ETags.of(alias.rowVersion())).body(AliasResource.of(alias));
    }
}
