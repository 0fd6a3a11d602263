package io.gpusnap.service.prefetch;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.prefetch.*}.
 *
 * @param nodesOfAlias to how many nodes copies are brought when an alias is moved; 0 for none
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.prefetch", ignoreUnknownFields = false)
record PrefetchSettings(
        @Min(0) @Max(1000) @DefaultValue("8") int nodesOfAlias) {}
