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

/** What the service called of the API server, in all tests of this JVM. */
public final class RecordedCalls implements Interceptor {
    private static final Set<String> OF_THE_WEBHOOK = Set.of("get secrets", "get mutatingwebhookconfigurations");

    private final Map<ApiCall, LongAdder> calls = new ConcurrentHashMap<>();

    @Override
    public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
        ApiCall.of(request.method(), request.uri())
                .ifPresent(call ->
                        calls.computeIfAbsent(call, one -> new LongAdder()).increment());
    }

    /** How often each was made, by "verb resource". */
    public Map<String, Long> counts() {
        Map<String, Long> counts = new TreeMap<>();
        calls.forEach((call, count) -> counts.merge(call.verb() + " " + call.resource(), count.sum(), Long::sum));
        return counts;
    }

    public Set<ApiCall> all() {
        return Set.copyOf(calls.keySet());
    }

    /** What was made since, by "verb resource". */
    public Map<String, Long> since(Map<String, Long> before) {
        Map<String, Long> more = new TreeMap<>();
        counts().forEach((call, count) -> {
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
