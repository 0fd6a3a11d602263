package io.gpusnap.service.snapshot;

import io.gpusnap.service.platform.json.JsonColumns;
import java.util.Collection;
import java.util.Map;
import java.util.stream.Collectors;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Table {@code compatibility_class}. */
@Component
public class CompatibilityClasses {
    private final JdbcClient jdbc;
    private final JsonColumns json;

    CompatibilityClasses(JdbcClient jdbc, JsonColumns json) {
        this.jdbc = jdbc;
        this.json = json;
    }

    void keep(CompatibilityClass of) {
        jdbc.sql("INSERT INTO compatibility_class (key, facts) VALUES (?, ?::jsonb) ON CONFLICT DO NOTHING")
                .param(of.key())
                .param(json.write(of))
                .update();
    }

    /** Those that are known, by key. */
    public Map<String, CompatibilityClass> find(Collection<String> keys) {
        return jdbc
                .sql("SELECT key, facts FROM compatibility_class WHERE key = ANY (?)")
                .param(keys.toArray(String[]::new))
                .query((row, number) ->
                        Map.entry(row.getString("key"), json.read(row.getString("facts"), CompatibilityClass.class)))
                .list()
                .stream()
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }
}
