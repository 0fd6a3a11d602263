package io.gpusnap.service.restore;

import io.gpusnap.service.platform.json.JsonColumns;
import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import java.util.List;
import org.springframework.stereotype.Component;

/** Attempts in a {@code jsonb} column. */
@Component
@Converter
class AttemptsColumn implements AttributeConverter<List<Attempt>, String> {
    private final JsonColumns json;

    AttemptsColumn(JsonColumns json) {
        this.json = json;
    }

    @Override
    public String convertToDatabaseColumn(List<Attempt> attempts) {
        return json.write(attempts);
    }

    @Override
    public List<Attempt> convertToEntityAttribute(String text) {
        return List.copyOf(json.readList(text, Attempt.class));
    }
}
