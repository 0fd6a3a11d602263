package io.gpusnap.service.rollout;

import io.gpusnap.service.platform.json.JsonColumns;
import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** {@link AnalysisRun} in a {@code jsonb} column. */
@Component
@Converter
class AnalysisColumn implements AttributeConverter<@Nullable AnalysisRun, @Nullable String> {
    private final JsonColumns json;

    AnalysisColumn(JsonColumns json) {
        this.json = json;
    }

    @Override
    public @Nullable String convertToDatabaseColumn(@Nullable AnalysisRun value) {
        return value == null ? null : json.write(value);
    }

    @Override
    public @Nullable AnalysisRun convertToEntityAttribute(@Nullable String text) {
        return text == null ? null : json.read(text, AnalysisRun.class);
    }
}
