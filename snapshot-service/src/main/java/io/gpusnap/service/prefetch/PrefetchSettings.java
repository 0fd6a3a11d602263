package io.gpusnap.service.prefetch;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.prefetch.*}.
 *
 * @param nodesOfAlias to how many nodes copies are brought when an alias is moved; 0 for none
 * @param nodeBudget how much may be brought to a node in one round; 0 plans nothing
 * @param memoryBudget how much may be brought into a node's memory in one round, from its own store; 0 plans nothing
 * @param interval between two rounds
 * @param checkInterval how often each instance looks whether a round is due, and what became of copies
 * @param wastedAfter a copy that nothing used this long after it was expected to be is counted as wasted
 * @param retention the account of a copy is kept this long after its end
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.prefetch", ignoreUnknownFields = false)
record PrefetchSettings(
        @Min(0) @Max(1000) @DefaultValue("8") int nodesOfAlias,
        @NotNull @DefaultValue("0B") DataSize nodeBudget,
        @NotNull @DefaultValue("0B") DataSize memoryBudget,

        @NotNull @DurationMin(seconds = 1) @DefaultValue("5m")
        Duration interval,

        @NotNull @DurationMin(millis = 10) @DefaultValue("5s")
        Duration checkInterval,

        @NotNull @DurationMin(minutes = 1) @DefaultValue("4h")
        Duration wastedAfter,

        @NotNull @DurationMin(hours = 1) @DefaultValue("7d") Duration retention) {

    boolean plansNothing() {
        return nodeBudget.toBytes() == 0 && memoryBudget.toBytes() == 0;
    }
}
