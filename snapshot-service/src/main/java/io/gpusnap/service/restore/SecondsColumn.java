package io.gpusnap.service.restore;

import io.gpusnap.service.platform.json.JsonColumns;
import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** Seconds by stage in a {@code jsonb} column. */
@Component
@Converter
class SecondsColumn implements AttributeConverter<@Nullable Map<String, Double>, @Nullable String> {
    private final JsonColumns json;

    SecondsColumn(JsonColumns json) {
        this.json = json;
    }

    @Override
    public @Nullable String convertToDatabaseColumn(@Nullable Map<String, Double> seconds) {
        return seconds == null ? null : json.write(seconds);
    }

    @Override
    public @Nullable Map<String, Double> convertToEntityAttribute(@Nullable String text) {
        if (text == null) {
            return null;
        }
        Map<String, Double> seconds = new LinkedHashMap<>();
        Map<?, ?> stored = json.read(text, Map.class);
        stored.forEach((stage, value) -> seconds.put(String.valueOf(stage), ((Number) value).doubleValue()));
        return seconds;
    }
}
