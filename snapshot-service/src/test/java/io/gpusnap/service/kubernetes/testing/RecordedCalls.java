package io.gpusnap.service.kubernetes.testing;

import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.Interceptor;
import io.gpusnap.service.kubernetes.cluster.ApiCall;
import io.gpusnap.service.kubernetes.cluster.KubernetesCalls;
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
import tools.jackson.databind.json.JsonMapper;

/**
 * What the service called of the API server, in all tests of this JVM. Its clocks tick whatever a test does, and what other tests
 * have left is looked at while this one counts: who counts says of which namespace, or leaves out what no change brings.
 */
public final class RecordedCalls implements Interceptor {
    private static final Set<String> OF_THE_WEBHOOK = Set.of("get secrets", "get mutatingwebhookconfigurations");
    private static final Pattern NAMESPACE = Pattern.compile("/namespaces/([^/]+)/");
    private static final Pattern MODEL = Pattern.compile("/models/([^/]+)");
    private static final JsonMapper JSON = new JsonMapper();

    /**
     * @param namespace empty for what is in none
     * @param model of that name; empty for what is of none
     */
    private record Made(ApiCall call, String namespace, String model) {
        boolean isAllowed() {
            return KubernetesCalls.of(call.verb(), call.group(), call.resource())
                    .filter(named -> !named.inOwnNamespace() || namespace.equals(ClusterUnderTest.SYSTEM))
                    .isPresent();
        }

        /** As "verb resource". */
        String words() {
            return call.verb() + " " + call.resource();
        }
    }

    private final Map<Made, LongAdder> calls = new ConcurrentHashMap<>();

    @Override
    public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
        String path = request.uri().getPath();
        ApiCall.of(request.method(), request.uri())
                .ifPresent(call -> calls.computeIfAbsent(
                                new Made(call, part(NAMESPACE, path), model(call, request)), one -> new LongAdder())
                        .increment());
    }

    private static String part(Pattern pattern, String path) {
        Matcher part = pattern.matcher(path);
        return part.find() ? part.group(1) : "";
    }

    /** Of which Model it is; one that is created is named in what is sent only. */
    private static String model(ApiCall call, HttpRequest request) {
        return call.verb().equals("create") && call.resource().equals("models")
                ? JSON.readTree(request.bodyString()).at("/metadata/name").asString()
                : part(MODEL, request.uri().getPath());
    }

    /** How often each was made, by "verb resource". */
    public Map<String, Long> counts() {
        return counts(made -> true);
    }

    private Map<String, Long> counts(Predicate<Made> which) {
        Map<String, Long> counts = new TreeMap<>();
        calls.forEach((made, count) -> {
            if (which.test(made)) {
                counts.merge(made.words(), count.sum(), Long::sum);
            }
        });
        return counts;
    }

    /** Asked later, what was made in the namespace since now. */
    public Supplier<Map<String, Long>> from(String namespace) {
        return from(made -> made.namespace().equals(namespace));
    }

    /** Asked later, what was made since now of what nothing but a change brings, and of the Model of that name. */
    public Supplier<Map<String, Long>> fromChange(String model) {
        return from(made -> made.model().equals(model) || isOfAChange(made.words()));
    }

    private Supplier<Map<String, Long>> from(Predicate<Made> which) {
        Map<String, Long> before = counts(which);
        return () -> more(before, counts(which));
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

    /** What was made though no role of the chart allows it: what {@link KubernetesCalls} has not, or has for another namespace. */
    Set<String> notAllowed() {
        return calls.keySet().stream()
                .filter(made -> !made.isAllowed())
                .map(Made::toString)
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
        return call -> isOfAChange(call.getKey());
    }

    private static boolean isOfAChange(String words) {
        return !OF_THE_WEBHOOK.contains(words) && !words.matches(".* models(/status)?|list volumesnapshots");
    }

    /** Of those, what changes anything. */
    public static Predicate<Map.Entry<String, Long>> writes() {
        return call -> !call.getKey().matches("(get|list|watch) .*");
    }
}
