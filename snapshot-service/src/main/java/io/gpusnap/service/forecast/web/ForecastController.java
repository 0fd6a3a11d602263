package io.gpusnap.service.forecast.web;

import io.gpusnap.service.forecast.Demand;
import io.gpusnap.service.forecast.DemandReport;
import io.gpusnap.service.forecast.Forecasts;
import io.gpusnap.service.forecast.Signal;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.Valid;
import jakarta.validation.constraints.DecimalMax;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.PositiveOrZero;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Demand and forecasts. */
@RestController
@RequestMapping("/api/v1/models/{model}")
@Tag(name = "Forecasts", description = "What models are asked for, and what they will be")
class ForecastController {
    private final Demand demand;
    private final Forecasts forecasts;

    ForecastController(Demand demand, Forecasts forecasts) {
        this.demand = demand;
        this.forecasts = forecasts;
    }

    /** Demand now: requests that arrive a second, requests that wait, replicas that the autoscaler wants. */
    record ReportDemandRequest(
            @NotNull @PositiveOrZero @DecimalMax("1000000000")
            Double requestsPerSecond,

            @NotNull @Min(0) Integer queueDepth,
            @NotNull @Min(0) @Max(100_000) Integer replicasDesired) {

        DemandReport report() {
            return new DemandReport(requestsPerSecond, queueDepth, replicasDesired);
        }
    }

    @PostMapping("/demand")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    @Operation(
            operationId = "reportDemand",
            summary = "Report a model's demand",
            description =
                    "Kept under the current step of the database's clock: the mean of the rates, the highest of the rest. "
                            + "It takes no Idempotency-Key: a repeated report changes at most a step's mean.")
    @ApiResponse(responseCode = "204", description = "Kept")
    void report(@PathVariable String model, @Valid @RequestBody ReportDemandRequest request) {
        demand.report(model, request.report());
    }

    /** Replicas that an autoscaler or a deployment wants now. */
    record DesiredReplicasRequest(
            @NotNull @Min(0) @Max(100_000) Integer replicas) {}

    @PutMapping("/desired-replicas")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    @Operation(
            operationId = "putDesiredReplicas",
            summary = "Tell how many replicas an autoscaler or a deployment wants",
            description =
                    "For whoever knows the replicas and neither rates nor queues. Say it at each change, and again now and then while it "
                            + "holds. It takes no If-Match: it is a measurement, and the last one counts.")
    @ApiResponse(responseCode = "204", description = "Kept")
    void desiredReplicas(@PathVariable String model, @Valid @RequestBody DesiredReplicasRequest request) {
        demand.wanted(model, request.replicas());
    }

    @GetMapping("/forecast")
    @Operation(
            operationId = "getForecast",
            summary = "Forecast a model's demand",
            description =
                    "Made now from what was reported. horizonMinutes is 120 by default, at most 1440; signal is REPLICAS by default.")
    ForecastResource forecast(
            @PathVariable String model,
            @RequestParam(required = false) @Nullable Signal signal,
            @RequestParam(required = false) @Min(1) @Max(1440) @Nullable Integer horizonMinutes) {
        Signal asked = Objects.requireNonNullElse(signal, Signal.REPLICAS);
        Duration horizon = Duration.ofMinutes(Objects.requireNonNullElse(horizonMinutes, 120));
        return ForecastResource.of(model, asked, forecasts.of(model, asked, horizon));
    }
}
