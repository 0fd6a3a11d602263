package io.gpusnap.deploy;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** YAML as maps, lists and scalars. A key that is there twice is an error. */
final class Yamls {
    private Yamls() {}

    private static Yaml strict() {
        LoaderOptions options = new LoaderOptions();
        options.setAllowDuplicateKeys(false);
        return new Yaml(new SafeConstructor(options));
    }

    static Map<String, Object> map(String text) {
        return asMap(strict().load(text));
    }

    /** The documents of a stream that are not empty. */
    static List<Map<String, Object>> documents(String text) {
        List<Map<String, Object>> documents = new ArrayList<>();
        for (Object document : strict().loadAll(text)) {
            if (document != null) {
                documents.add(asMap(document));
            }
        }
        return documents;
    }

    static String dump(Map<String, Object> document) {
        DumperOptions options = new DumperOptions();
        options.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
        return new Yaml(options).dump(document);
    }

    /** The one, overwritten by the other wherever that says something. */
    static Map<String, Object> merge(Map<String, Object> base, Map<String, Object> over) {
        Map<String, Object> merged = new LinkedHashMap<>(base);
        over.forEach((key, value) -> merged.merge(
                key,
                value,
                (old, now) -> old instanceof Map && now instanceof Map<?, ?> map && !map.isEmpty()
                        ? merge(asMap(old), asMap(now))
                        : now));
        return merged;
    }

    /** What is at the end of the path: keys of maps, indexes of lists. */
    static Object at(Object document, Object... path) {
        Object here = document;
        for (Object step : path) {
            here = step instanceof Integer index ? ((List<?>) here).get(index) : ((Map<?, ?>) here).get(step);
            if (here == null) {
                throw new AssertionError("nothing at " + step + " of " + List.of(path) + " in " + document);
            }
        }
        return here;
    }

    @SuppressWarnings("unchecked") // Keys of YAML maps that we read are strings.
    static Map<String, Object> asMap(Object document) {
        return (Map<String, Object>) document;
    }

    @SuppressWarnings("unchecked")
    static List<Map<String, Object>> maps(Object list) {
        return (List<Map<String, Object>>) list;
    }
}
