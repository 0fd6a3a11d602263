package io.gpusnap.service.kubernetes.cluster;

import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.Interceptor;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.micrometer.core.instrument.MeterRegistry;

/** Counts the calls of the API server. */
@KubernetesComponent
public final class CallMeter implements Interceptor {
    static final String CALLS = "gpusnap.kubernetes.calls";

    private final MeterRegistry registry;

    CallMeter(MeterRegistry registry) {
        this.registry = registry;
    }

    @Override
    public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
        ApiCall.of(request.method(), request.uri())
                .ifPresent(call -> registry.counter(CALLS, "verb", call.verb(), "resource", call.resource())
                        .increment());
    }
}
