package io.gpusnap.service.operation.web;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.gpusnap.service.operation.StageReport;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Size;
import java.util.List;

/** All stages of the plan, in order, as they are now. */
@JsonIgnoreProperties(ignoreUnknown = true)
record ProgressRequest(long epoch, @NotNull @Size(max = 100) List<@Valid StageReport> stages) {}
