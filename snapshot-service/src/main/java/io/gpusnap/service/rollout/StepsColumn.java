package io.gpusnap.service.rollout;

import io.gpusnap.service.platform.json.JsonColumns;
import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import java.util.List;
import org.springframework.stereotype.Component;

/** Steps in a {@code jsonb} column. */
@Component
@Converter
class StepsColumn implements AttributeConverter<List<StepSpec>, String> {
    private final JsonColumns json;

    StepsColumn(JsonColumns json) {
        this.json = json;
    }

    @Override
    public String convertToDatabaseColumn(List<StepSpec> value) {
        return json.write(value);
    }

    @Override
    public List<StepSpec> convertToEntityAttribute(String text) {
        return List.copyOf(json.readList(text, StepSpec.class));
    }
}
