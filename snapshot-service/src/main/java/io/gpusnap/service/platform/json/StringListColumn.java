package io.gpusnap.service.platform.json;

import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import java.util.List;
import org.springframework.stereotype.Component;

/** An array of strings in a {@code jsonb} column. */
@Component
@Converter
public class StringListColumn implements AttributeConverter<List<String>, String> {
    private final JsonColumns json;

    StringListColumn(JsonColumns json) {
        this.json = json;
    }

    @Override
    public String convertToDatabaseColumn(List<String> list) {
        return json.write(list);
    }

    @Override
    public List<String> convertToEntityAttribute(String text) {
        return List.copyOf(json.readList(text, String.class));
    }
}
