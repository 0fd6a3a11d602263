package io.gpusnap.service.restore;

import io.gpusnap.service.platform.json.JsonColumns;
import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import org.springframework.stereotype.Component;

@Component
@Converter
class DecisionColumn implements AttributeConverter<Decision, String> {
    private final JsonColumns json;

    DecisionColumn(JsonColumns json) {
        this.json = json;
    }

    @Override
    public String convertToDatabaseColumn(Decision decision) {
        return json.write(decision);
    }

    @Override
    public Decision convertToEntityAttribute(String text) {
        return json.read(text, Decision.class);
    }
}
