package io.gpusnap.service.operation;

import io.gpusnap.service.platform.json.JsonColumns;
import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import java.util.List;
import org.springframework.stereotype.Component;

@Component
@Converter
class StagesColumn implements AttributeConverter<List<StageReport>, String> {
    private final JsonColumns json;

    StagesColumn(JsonColumns json) {
        this.json = json;
    }

    @Override
    public String convertToDatabaseColumn(List<StageReport> stages) {
        return json.write(stages);
    }

    @Override
    public List<StageReport> convertToEntityAttribute(String text) {
        return List.copyOf(json.readList(text, StageReport.class));
    }
}
