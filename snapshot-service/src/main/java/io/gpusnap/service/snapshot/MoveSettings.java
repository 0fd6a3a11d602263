package io.gpusnap.service.snapshot;

import jakarta.validation.constraints.NotNull;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.moves.*}.
 *
 * @param bytesPerSecond of all transfers by one node together, whoever asks for them; 0 for no bound
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.moves", ignoreUnknownFields = false)
record MoveSettings(@NotNull @DefaultValue("1GB") DataSize bytesPerSecond) {}
