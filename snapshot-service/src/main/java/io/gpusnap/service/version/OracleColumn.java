package io.gpusnap.service.version;

import io.gpusnap.service.platform.json.JsonColumns;
import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** {@link AnswerOracle} in a {@code jsonb} column. */
@Component
@Converter
class OracleColumn implements AttributeConverter<@Nullable AnswerOracle, @Nullable String> {
    private final JsonColumns json;

    OracleColumn(JsonColumns json) {
        this.json = json;
    }

    @Override
    public @Nullable String convertToDatabaseColumn(@Nullable AnswerOracle oracle) {
        return oracle == null ? null : json.write(oracle);
    }

    @Override
    public @Nullable AnswerOracle convertToEntityAttribute(@Nullable String text) {
        return text == null ? null : json.read(text, AnswerOracle.class);
    }
}
