package io.gpusnap.service.scaling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gpusnap.service.forecast.Signal;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScalerQueryTest {

    @Test
    void everythingThatATriggerSaysIsRead() {
        ScalerQuery query = ScalerQuery.of(Map.of(
                "scalerAddress", "gpusnap:6000",
                "enableTLS", "true",
                "model", "Qwen3.8B",
                "signal", "request-rate",
                "target", "2.5",
                "activation", "0.5",
                "aheadMinutes", "15",
                "quantile", "0.9"));

        assertThat(query)
                .isEqualTo(new ScalerQuery("Qwen3.8B", Signal.REQUEST_RATE, 2.5, 0.5, Duration.ofMinutes(15), 0.9));
        assertThat(query.metricName()).isEqualTo("gpusnap-request-rate-qwen3-8b");
    }

    @Test
    void replicasNeedNoTarget() {
        ScalerQuery query = ScalerQuery.of(Map.of("model", "m", "signal", "replicas"));

        assertThat(query).isEqualTo(new ScalerQuery("m", Signal.REPLICAS, 1, 0, Duration.ZERO, 0.75));
        assertThat(query.isActive(0)).isFalse();
        assertThat(query.isActive(0.1)).isTrue();
    }

    @ParameterizedTest(name = "{0}={1}")
    @CsvSource(delimiter = '|', textBlock = """
            model        |        | metadata model: must name a model
            signal       |        | metadata signal: must be one of [replicas, request-rate, queue-depth], is ''
            signal       | hunger | metadata signal: must be one of
            target       | many   | metadata target: must be a number, is 'many'
            target       | 0      | metadata target: must be from 0.001
            target       | NaN    | metadata target: must be from 0.001
            activation   | -1     | metadata activation: must be from 0.0
            aheadMinutes | 1441   | metadata aheadMinutes: must be from 0.0 to 1440.0
            quantile     | 1      | metadata quantile: must be from 0.05 to 0.95, is 1
            taget        | 3      | metadata [taget]: not known; there are [activation, aheadMinutes,
            """)
    void whatCannotBeRightIsRefusedByName(String name, String value, String message) {
        Map<String, String> metadata = new HashMap<>(Map.of("model", "m", "signal", "queue-depth", "target", "1"));
        metadata.put(name, value == null ? "" : value);

        assertThatThrownBy(() -> ScalerQuery.of(metadata))
                .isInstanceOf(ScalerQuery.RefusedException.class)
                .hasMessageContaining(message);
    }

    @Test
    void whatOneReplicaTakesMustBeSaidForRatesAndQueues() {
        assertThatThrownBy(() -> ScalerQuery.of(Map.of("model", "m", "signal", "queue-depth")))
                .hasMessage("metadata target: must say how much one replica takes");
    }
}
