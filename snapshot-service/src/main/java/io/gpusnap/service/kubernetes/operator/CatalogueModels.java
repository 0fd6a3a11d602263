package io.gpusnap.service.kubernetes.operator;

import io.gpusnap.service.kubernetes.KubernetesComponent;
import java.util.Map;
import java.util.stream.Collectors;
import org.springframework.jdbc.core.simple.JdbcClient;

/** What Models show of the catalogue, of all of them in one statement: so that only those are looked at that have changed. */
@KubernetesComponent
class CatalogueModels {
    private final JdbcClient jdbc;

    CatalogueModels(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** By the model's name; of two looks that tell the same nothing of it has changed that is shown. */
    Map<String, String> all() {
        return jdbc
                .sql("""
                        SELECT m.name,
                               concat_ws(' ', (SELECT count(*) FROM model_version v WHERE v.model_name = m.name),
                                         (SELECT string_agg(a.name || '=' || a.version_id, ' ' ORDER BY a.name)
                                            FROM model_alias a WHERE a.model_name = m.name)) AS shown
                          FROM model m
                        """)
                .query((row, number) -> Map.entry(row.getString("name"), row.getString("shown")))
                .list()
                .stream()
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }
}
