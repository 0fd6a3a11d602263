package io.gpusnap.service.platform.json;

import java.util.List;
import org.springframework.stereotype.Component;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Reads and writes {@code jsonb} columns. */
@Component
public class JsonColumns {
    private final JsonMapper json;

    JsonColumns(JsonMapper json) {
        // A row outlives the release that wrote it: fields that this release does not know are left alone.
        this.json = json.rebuild()
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .build();
    }

    public String write(Object value) {
        return json.writeValueAsString(value);
    }

    public <T> T read(String text, Class<T> type) {
        return json.readValue(text, type);
    }

    public <T> List<T> readList(String text, Class<T> element) {
        return json.readerForListOf(element).readValue(text);
    }
}
