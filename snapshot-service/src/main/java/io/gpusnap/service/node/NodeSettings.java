package io.gpusnap.service.node;

import io.gpusnap.service.platform.config.BadConfigurationException;
import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.nodes.*}.
 *
 * @param heartbeatInterval how often daemons are told to report
 * @param grace without a heartbeat for this long a node is SILENT
 * @param lostAfter without a heartbeat for this long its operations are given up
 * @param checkInterval how often silence is looked for
 * @param poll longest time that a claim is held open when there is no work
 * @param lease a claimed operation is its daemon's for this long without a sign of progress
 * @param forgetWorkloadsAfter workloads that ended are forgotten after this time
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.nodes", ignoreUnknownFields = false)
public record NodeSettings(
        @NotNull @DurationMin(seconds = 1) @DefaultValue("10s")
        Duration heartbeatInterval,

        @NotNull @DurationMin(seconds = 1) @DefaultValue("40s")
        Duration grace,

        @NotNull @DurationMin(seconds = 1) @DefaultValue("5m")
        Duration lostAfter,

        @NotNull @DurationMin(millis = 10) @DefaultValue("2s")
        Duration checkInterval,

        @NotNull @DurationMin(seconds = 1) @DefaultValue("20s")
        Duration poll,

        @NotNull @DurationMin(seconds = 1) @DefaultValue("30s")
        Duration lease,

        @NotNull @DurationMin(minutes = 1) @DefaultValue("7d")
        Duration forgetWorkloadsAfter) {

    public NodeSettings {
        if (grace != null && heartbeatInterval != null && grace.compareTo(heartbeatInterval.multipliedBy(2)) < 0) {
            throw new BadConfigurationException(
                    "gpusnap.nodes.grace",
                    "must be at least twice gpusnap.nodes.heartbeat-interval (" + heartbeatInterval + "), is " + grace);
        }
        if (grace != null && lostAfter != null && lostAfter.compareTo(grace) <= 0) {
            throw new BadConfigurationException(
                    "gpusnap.nodes.lost-after",
                    "must be more than gpusnap.nodes.grace (" + grace + "), is " + lostAfter);
        }
    }
}
