package io.gpusnap.service.node;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.gpusnap.service.platform.id.SnapshotId;
import io.swagger.v3.oas.annotations.media.Schema;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Positive;
import jakarta.validation.constraints.PositiveOrZero;
import jakarta.validation.constraints.Size;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A process that a daemon found: it runs with {@code GPUSNAP_WORKLOAD} set.
 *
 * @param pid as the daemon's PID namespace counts
 * @param startTimeTicks field 22 of {@code /proc/<pid>/stat}; with the pid it names the process beyond PID reuse
 * @param managedBytes device memory that the preload manages
 * @param suspendedSnapshotId the snapshot that a SUSPENDED process waits to be resumed from
 * @param refusals why a save would be refused now; empty when it would be tried
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record WorkloadReport(
        @Positive int pid,
        @PositiveOrZero long startTimeTicks,
        @NotBlank @Size(max = 63) String name,
        @Size(max = 4096) @Nullable String executable,
        @Nullable @Size(max = 1000) List<@Size(max = 32_768) String> commandLine,
        @NotNull State state,
        @PositiveOrZero long managedBytes,
        @PositiveOrZero int allocations,
        @Nullable @Size(max = 1000) List<@NotNull Integer> listeningPorts,
        @Nullable SnapshotId suspendedSnapshotId,
        @Nullable @Size(max = 100) List<@Valid Refusal> refusals) {

    /** What the preload says of the process; UNKNOWN when it does not answer. */
    @Schema(name = "ReportedWorkloadState")
    public enum State {
        RUNNING,
        QUIESCED,
        SUSPENDED,
        UNKNOWN
    }

    /**
     * A reason not to save.
     *
     * @param code a failure code such as WORKLOAD_UNSUPPORTED
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @Schema(name = "Refusal")
    public record Refusal(
            @NotBlank @Size(max = 60) String code,
            @NotBlank @Size(max = 2000) String detail) {}
}
