package io.gpusnap.service.kubernetes.testing;

import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.Interceptor;
import io.gpusnap.service.kubernetes.cluster.ApiCall;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What the service called of the API server, in all tests of this JVM. Its clocks tick whatever a test does, and what other tests
 * have left is looked at while this one counts: who counts says of which namespace, or leaves out what no change brings.
 */
public final class RecordedCalls implements Interceptor {
    private static final Set<String> OF_THE_WEBHOOK = Set.of("get secrets", "get mutatingwebhookconfigurations");
    private static final Pattern NAMESPACE = Pattern.compile("/namespaces/([^/]+)/");

    /** @param namespace empty for what is in none */
    private record Made(ApiCall call, String namespace) {}

    private final Map<Made, LongAdder> calls = new ConcurrentHashMap<>();

    @Override
    public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
        Matcher namespace = NAMESPACE.matcher(request.uri().getPath());
        String in = namespace.find() ? namespace.group(1) : "";
        ApiCall.of(request.method(), request.uri())
                .ifPresent(call -> calls.computeIfAbsent(new Made(call, in), one -> new LongAdder())
                        .increment());
    }

    /** How often each was made, by "verb resource". */
    public Map<String, Long> counts() {
        return counts(namespace -> true);
    }

    private Map<String, Long> counts(Predicate<String> namespaces) {
        Map<String, Long> counts = new TreeMap<>();
        calls.forEach((made, count) -> {
            if (namespaces.test(made.namespace())) {
                counts.merge(made.call().verb() + " " + made.call().resource(), count.sum(), Long::sum);
            }
        });
        return counts;
    }

    /** Asked later, what was made in the namespace since now. */
    public Supplier<Map<String, Long>> from(String namespace) {
        Map<String, Long> before = counts(namespace::equals);
        return () -> more(before, counts(namespace::equals));
    }

    public Set<ApiCall> all() {
        return calls.keySet().stream().map(Made::call).collect(Collectors.toSet());
    }

    /** Namespaces in which the call was made; the empty one if it was made of all, or of what is in none. */
    public Set<String> namespacesOf(ApiCall call) {
        return calls.keySet().stream()
                .filter(made -> made.call().equals(call))
                .map(Made::namespace)
                .collect(Collectors.toSet());
    }

    /** What was made since, by "verb resource". */
    public Map<String, Long> since(Map<String, Long> before) {
        return more(before, counts());
    }

    private static Map<String, Long> more(Map<String, Long> before, Map<String, Long> after) {
        Map<String, Long> more = new TreeMap<>();
        after.forEach((call, count) -> {
            long added = count - before.getOrDefault(call, 0L);
            if (added > 0) {
                more.put(call, added);
            }
        });
        return more;
    }

    /** Of those, what the operator makes: the webhook looks after its certificate by a clock of its own. */
    public static Predicate<Map.Entry<String, Long>> ofTheOperator() {
        return call -> !OF_THE_WEBHOOK.contains(call.getKey());
    }

    /** Of these, what nothing but a change brings: models, also those of the last tests, and archives are looked at by a clock. */
    public static Predicate<Map.Entry<String, Long>> ofChanges() {
        return ofTheOperator().and(call -> !call.getKey().matches(".* models(/status)?|list volumesnapshots"));
    }

    /** Of those, what changes anything. */
    public static Predicate<Map.Entry<String, Long>> writes() {
        return call -> !call.getKey().matches("(get|list|watch) .*");
    }
}
