package io.gpusnap.service.restore;

import io.gpusnap.service.platform.json.JsonColumns;
import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** {@link ColdStart} in a {@code jsonb} column. */
@Component
@Converter
class ColdStartColumn implements AttributeConverter<@Nullable ColdStart, @Nullable String> {
    private final JsonColumns json;

    ColdStartColumn(JsonColumns json) {
        this.json = json;
    }

    @Override
    public @Nullable String convertToDatabaseColumn(@Nullable ColdStart value) {
        return value == null ? null : json.write(value);
    }

    @Override
    public @Nullable ColdStart convertToEntityAttribute(@Nullable String text) {
        return text == null ? null : json.read(text, ColdStart.class);
    }
}
