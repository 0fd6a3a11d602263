package io.gpusnap.service.restore;

import io.gpusnap.service.platform.json.JsonColumns;
import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** {@link KeptWish} in a {@code jsonb} column. */
@Component
@Converter
class KeptWishColumn implements AttributeConverter<@Nullable KeptWish, @Nullable String> {
    private final JsonColumns json;

    KeptWishColumn(JsonColumns json) {
        this.json = json;
    }

    @Override
    public @Nullable String convertToDatabaseColumn(@Nullable KeptWish value) {
        return value == null ? null : json.write(value);
    }

    @Override
    public @Nullable KeptWish convertToEntityAttribute(@Nullable String text) {
        return text == null ? null : json.read(text, KeptWish.class);
    }
}
