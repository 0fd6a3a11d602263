package io.gpusnap.service.operation;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.swagger.v3.oas.annotations.media.Schema;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Size;

/**
 * A copy of a snapshot that turned out to be wrong on the way, whether or not the operation found another one.
 *
 * @param storeId of the tier that holds the copy
 * @param detail which chunk or object, and what is wrong with it
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@Schema(name = "DamagedCopy")
public record DamagedCopy(
        @NotNull SnapshotId snapshotId,
        @NotNull StoreId storeId,
        @NotBlank @Size(max = 10_000) String detail) {}
