package io.gpusnap.deploy;

import java.util.LinkedHashMap;
import java.util.Map;

/** A CRD's schema as a JSON schema that also refuses what it does not know, as an API server does with strict validation. */
final class Strict {
    private Strict() {}

    static Map<String, Object> of(Map<String, Object> crdSchema) {
        Map<String, Object> strict = object(crdSchema);
        Map<String, Object> properties = new LinkedHashMap<>(Yamls.asMap(strict.get("properties")));
        for (String own : new String[] {"apiVersion", "kind", "metadata"}) {
            properties.putIfAbsent(own, Map.of());
        }
        strict.put("properties", properties);
        return strict;
    }

    private static Map<String, Object> object(Map<String, Object> schema) {
        Map<String, Object> strict = new LinkedHashMap<>(schema);
        strict.keySet().removeIf(key -> key.startsWith("x-kubernetes-"));
        if (schema.get("items") instanceof Map<?, ?> items) {
            strict.put("items", object(Yamls.asMap(items)));
        }
        if (schema.get("properties") instanceof Map<?, ?> known) {
            Map<String, Object> properties = new LinkedHashMap<>();
            Yamls.asMap(known).forEach((name, property) -> properties.put(name, object(Yamls.asMap(property))));
            strict.put("properties", properties);
            if (!Boolean.TRUE.equals(schema.get("x-kubernetes-preserve-unknown-fields"))) {
                strict.putIfAbsent("additionalProperties", false);
            }
        }
        return strict;
    }
}
