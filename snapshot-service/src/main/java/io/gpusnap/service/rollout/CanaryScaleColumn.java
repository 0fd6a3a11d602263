package io.gpusnap.service.rollout;

import io.gpusnap.service.platform.json.JsonColumns;
import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** {@link CanaryScale} in a {@code jsonb} column. */
@Component
@Converter
class CanaryScaleColumn implements AttributeConverter<@Nullable CanaryScale, @Nullable String> {
    private final JsonColumns json;

    CanaryScaleColumn(JsonColumns json) {
        this.json = json;
    }

    @Override
    public @Nullable String convertToDatabaseColumn(@Nullable CanaryScale value) {
        return value == null ? null : json.write(value);
    }

    @Override
    public @Nullable CanaryScale convertToEntityAttribute(@Nullable String text) {
        return text == null ? null : json.read(text, CanaryScale.class);
    }
}
