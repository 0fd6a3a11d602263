package io.gpusnap.service.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import externalscaler.ExternalScalerGrpc;
import externalscaler.ScaledObjectRef;
import io.grpc.ServiceDescriptor;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Our contract says on the wire what KEDA's says: https://keda.sh/docs/latest/concepts/external-scalers. Names of messages and fields are not
 * on the wire, but documentation and logs of both sides have them.
 */
class KedaContractTest {
    private static final String PACKAGE = "externalscaler";
    private static final String SERVICE = "ExternalScaler";

    /** Those that every scaler must have; the one that it may leave out, StreamMetricSpec, we leave out. */
    private static final List<String> METHODS = List.of(
            "IsActive(ScaledObjectRef) IsActiveResponse",
            "StreamIsActive(ScaledObjectRef) stream IsActiveResponse",
            "GetMetricSpec(ScaledObjectRef) GetMetricSpecResponse",
            "GetMetrics(GetMetricsRequest) GetMetricsResponse");

    private static final List<String> FIELDS = List.of(
            "ScaledObjectRef 1 string name",
            "ScaledObjectRef 2 string namespace",
            "ScaledObjectRef 3 map<string, string> scalerMetadata",
            "IsActiveResponse 1 bool result",
            "GetMetricSpecResponse 1 repeated MetricSpec metricSpecs",
            "MetricSpec 1 string metricName",
            "MetricSpec 2 int64 targetSize",
            "MetricSpec 3 double targetSizeFloat",
            "GetMetricsRequest 1 ScaledObjectRef scaledObjectRef",
            "GetMetricsRequest 2 string metricName",
            "GetMetricsResponse 1 repeated MetricValue metricValues",
            "MetricValue 1 string metricName",
            "MetricValue 2 int64 metricValue",
            "MetricValue 3 double metricValueFloat");

    private static final FileDescriptor OURS = ScaledObjectRef.getDescriptor().getFile();

    @Test
    void packageServiceAndMethodsAreKedas() {
        assertThat(OURS.toProto().getSyntax()).isEqualTo("proto3");
        assertThat(OURS.getPackage()).isEqualTo(PACKAGE);
        assertThat(OURS.getServices()).singleElement().satisfies(service -> {
            assertThat(service.getName()).isEqualTo(SERVICE);
            assertThat(service.getMethods())
                    .extracting(KedaContractTest::line)
                    .containsExactlyInAnyOrderElementsOf(METHODS);
        });
    }

    @Test
    void fieldsHaveKedasNumbersAndTypes() {
        Stream<FieldDescriptor> ours = OURS.getMessageTypes().stream().flatMap(message -> message.getFields().stream());
        assertThat(ours).extracting(KedaContractTest::line).containsExactlyInAnyOrderElementsOf(FIELDS);
    }

    @Test
    void whatIsServedIsWhatKedaCalls() {
        ServiceDescriptor served = ExternalScalerGrpc.getServiceDescriptor();
        assertThat(served.getMethods())
                .extracting(method -> "/" + method.getFullMethodName())
                .containsExactlyInAnyOrder(
                        "/externalscaler.ExternalScaler/IsActive",
                        "/externalscaler.ExternalScaler/StreamIsActive",
                        "/externalscaler.ExternalScaler/GetMetricSpec",
                        "/externalscaler.ExternalScaler/GetMetrics");
    }

    private static String line(MethodDescriptor method) {
        return method.getName() + "(" + (method.isClientStreaming() ? "stream " : "")
                + method.getInputType().getName() + ") " + (method.isServerStreaming() ? "stream " : "")
                + method.getOutputType().getName();
    }

    private static String line(FieldDescriptor field) {
        return field.getContainingType().getName() + " " + field.getNumber() + " " + type(field) + " "
                + field.getName();
    }

    private static String type(FieldDescriptor field) {
        if (field.isMapField()) {
            List<FieldDescriptor> entry = field.getMessageType().getFields();
            return "map<" + single(entry.get(0)) + ", " + single(entry.get(1)) + ">";
        }
        return (field.isRepeated() ? "repeated " : "") + single(field);
    }

    private static String single(FieldDescriptor field) {
        return field.getType() == FieldDescriptor.Type.MESSAGE
                ? field.getMessageType().getName()
                : field.getType().toString().toLowerCase(Locale.ROOT);
    }
}
