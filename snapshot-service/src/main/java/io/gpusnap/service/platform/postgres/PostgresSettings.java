package io.gpusnap.service.platform.postgres;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import java.nio.file.Path;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMin;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.postgres.*} of the embedded database; without effect when {@code spring.datasource.url} is set.
 *
 * @param binariesDir where the PostgreSQL programs are unpacked, once for all data directories; by default the user's
 *     cache folder
 * @param port 0 chooses a free port at the first start and keeps it
 * @param startTimeout how long the database may take until it answers
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.postgres", ignoreUnknownFields = false)
public record PostgresSettings(
        @Nullable Path binariesDir,
        @Min(0) @Max(65535) @DefaultValue("0") int port,

        @NotNull @DurationMin(seconds = 1) @DefaultValue("60s")
        Duration startTimeout) {

    Path binariesDirOrDefault() {
        if (binariesDir != null) {
            return binariesDir;
        }
        String cache = System.getenv("XDG_CACHE_HOME");
        Path base =
                cache == null || cache.isBlank() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(cache);
        return base.resolve("gpusnap").resolve("postgresql");
    }
}
