package io.gpusnap.service.snapshot;

import io.gpusnap.service.platform.json.JsonColumns;
import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** {@link Needs} in a {@code jsonb} column. */
@Component
@Converter
class NeedsColumn implements AttributeConverter<@Nullable Needs, @Nullable String> {
    private final JsonColumns json;

    NeedsColumn(JsonColumns json) {
        this.json = json;
    }

    @Override
    public @Nullable String convertToDatabaseColumn(@Nullable Needs needs) {
        return needs == null ? null : json.write(needs);
    }

    @Override
    public @Nullable Needs convertToEntityAttribute(@Nullable String text) {
        return text == null ? null : json.read(text, Needs.class);
    }
}
