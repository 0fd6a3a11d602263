package io.gpusnap.service.platform.json;

import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.stereotype.Component;

/** An object of strings in a {@code jsonb} column, keys in order. */
@Component
@Converter
public class StringMapColumn implements AttributeConverter<Map<String, String>, String> {
    private final JsonColumns json;

    StringMapColumn(JsonColumns json) {
        this.json = json;
    }

    @Override
    public String convertToDatabaseColumn(Map<String, String> map) {
        return json.write(map);
    }

    @Override
    @SuppressWarnings("unchecked") // the column holds only what the other direction wrote
    public Map<String, String> convertToEntityAttribute(String text) {
        return new TreeMap<>((Map<String, String>) json.read(text, Map.class));
    }
}
