package io.gpusnap.service.scaling;

import externalscaler.ExternalScalerGrpc;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Locale;
import java.util.function.Supplier;

/** Meters of the scaler. */
class ScalerMetrics implements ServerInterceptor {
    static final String CALLS = "gpusnap.scaler.calls";
    static final String PUSHES = "gpusnap.scaler.pushes";
    static final String STREAMS = "gpusnap.scaler.streams";

    private final MeterRegistry registry;
    private final Counter pushes;

    ScalerMetrics(MeterRegistry registry) {
        this.registry = registry;
        this.pushes = registry.counter(PUSHES);
        // There from the start: a rate over a meter that appears with its first count misses that one.
        ExternalScalerGrpc.getServiceDescriptor()
                .getMethods()
                .forEach(method -> ended(String.valueOf(method.getBareMethodName()), Status.OK));
    }

    private Counter ended(String method, Status status) {
        return registry.counter(
                CALLS, "method", method, "status", status.getCode().name().toLowerCase(Locale.ROOT));
    }

    void pushed() {
        pushes.increment();
    }

    void streams(Supplier<Number> open) {
        Gauge.builder(STREAMS, open).register(registry);
    }

    /** Counts each call when it ends, by method and gRPC status. */
    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        String method = String.valueOf(call.getMethodDescriptor().getBareMethodName());
        return next.startCall(
                new SimpleForwardingServerCall<>(call) {
                    @Override
                    public void close(Status status, Metadata trailers) {
                        ended(method, status).increment();
                        super.close(status, trailers);
                    }
                },
                headers);
    }
}
