package io.gpusnap.service.operation;

import io.gpusnap.service.platform.json.JsonColumns;
import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** A {@link Failure} in a {@code jsonb} column. */
@Component
@Converter
public class FailureColumn implements AttributeConverter<@Nullable Failure, @Nullable String> {
    private final JsonColumns json;

    FailureColumn(JsonColumns json) {
        this.json = json;
    }

    @Override
    public @Nullable String convertToDatabaseColumn(@Nullable Failure failure) {
        return failure == null ? null : json.write(failure);
    }

    @Override
    public @Nullable Failure convertToEntityAttribute(@Nullable String text) {
        return text == null ? null : json.read(text, Failure.class);
    }
}
