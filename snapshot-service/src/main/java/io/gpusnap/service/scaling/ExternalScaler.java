package io.gpusnap.service.scaling;

import externalscaler.ExternalScalerGrpc;
import externalscaler.GetMetricSpecResponse;
import externalscaler.GetMetricsRequest;
import externalscaler.GetMetricsResponse;
import externalscaler.IsActiveResponse;
import externalscaler.MetricSpec;
import externalscaler.MetricValue;
import externalscaler.ScaledObjectRef;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.function.Supplier;

/** KEDA's external scaler, as {@code src/main/proto/externalscaler.proto} has it. */
class ExternalScaler extends ExternalScalerGrpc.ExternalScalerImplBase {
    private final ScalerValues values;
    private final ActivityStreams streams;
    private final ScalerSettings settings;
    private final Optional<ModelAudience> audience;

    ExternalScaler(
            ScalerValues values, ActivityStreams streams, ScalerSettings settings, Optional<ModelAudience> audience) {
        this.values = values;
        this.streams = streams;
        this.settings = settings;
        this.audience = audience;
    }

    /** What it asks, if its namespace may. */
    private ScalerQuery query(ScaledObjectRef trigger) {
        ScalerQuery query = ScalerQuery.of(trigger.getScalerMetadataMap());
        audience.flatMap(one -> one.refusal(trigger.getNamespace(), query.model()))
                .ifPresent(why -> {
                    throw Status.PERMISSION_DENIED.withDescription(why).asRuntimeException();
                });
        return query;
    }

    @Override
    public void isActive(ScaledObjectRef trigger, StreamObserver<IsActiveResponse> caller) {
        answer(caller, () -> {
            ScalerQuery query = query(trigger);
            return IsActiveResponse.newBuilder()
                    .setResult(query.isActive(value(query)))
                    .build();
        });
    }

    @Override
    public void streamIsActive(ScaledObjectRef trigger, StreamObserver<IsActiveResponse> caller) {
        try {
            streams.open(query(trigger), (ServerCallStreamObserver<IsActiveResponse>) caller);
        } catch (RuntimeException e) {
            caller.onError(Refusals.statusOf(e));
        }
    }

    @Override
    public void getMetricSpec(ScaledObjectRef trigger, StreamObserver<GetMetricSpecResponse> caller) {
        answer(caller, () -> {
            ScalerQuery query = ScalerQuery.of(trigger.getScalerMetadataMap());
            return GetMetricSpecResponse.newBuilder()
                    .addMetricSpecs(MetricSpec.newBuilder()
                            .setMetricName(query.metricName())
                            .setTargetSize((long) Math.ceil(query.target()))
                            .setTargetSizeFloat(query.target()))
                    .build();
        });
    }

    @Override
    public void getMetrics(GetMetricsRequest request, StreamObserver<GetMetricsResponse> caller) {
        answer(caller, () -> {
            ScalerQuery query = query(request.getScaledObjectRef());
            if (!request.getMetricName().equals(query.metricName())) {
                throw Status.INVALID_ARGUMENT
                        .withDescription(
                                "this trigger's metric is " + query.metricName() + ", not " + request.getMetricName())
                        .asRuntimeException();
            }
            double value = value(query);
            return GetMetricsResponse.newBuilder()
                    .addMetricValues(MetricValue.newBuilder()
                            .setMetricName(query.metricName())
                            .setMetricValue((long) Math.ceil(value))
                            .setMetricValueFloat(value))
                    .build();
        });
    }

    /** Not knowing is an error: KEDA then keeps the replicas, or takes the fallback that the ScaledObject names. */
    private double value(ScalerQuery query) {
        return values.of(query)
                .orElseThrow(() -> Status.UNAVAILABLE
                        .withDescription("nobody has reported " + query.signal() + " of model " + query.model()
                                + " in the last " + settings.staleAfter() + " (gpusnap.scaler.stale-after)")
                        .asRuntimeException());
    }

    private static <A> void answer(StreamObserver<A> caller, Supplier<A> answer) {
        A made;
        try {
            made = answer.get();
        } catch (RuntimeException e) {
            caller.onError(Refusals.statusOf(e));
            return;
        }
        caller.onNext(made);
        caller.onCompleted();
    }
}
