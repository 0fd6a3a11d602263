package io.gpusnap.service.forecast;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.ServiceTest;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;

@ServiceTest
class LatestDemandTest {
    private static final Duration LATELY = Duration.ofMinutes(5);

    @Autowired
    private Api api;

    @Autowired
    private Demand demand;

    @Autowired
    private LatestDemandRepository latest;

    @Autowired
    private JdbcClient jdbc;

    private final String model = "m-" + UUID.randomUUID();

    private void create() {
        api.once().post("/api/v1/models", Map.of("name", model)).expect(201);
    }

    @Test
    void onlyWhatHasOtherValuesIsAChange() {
        create();

        assertThat(latest.keep(model, new DemandReport(1.5, 2, 3))).isTrue();
        assertThat(latest.keep(model, new DemandReport(1.5, 2, 3))).isFalse();
        assertThat(latest.keep(model, new DemandReport(1.5, 0, 3))).isTrue();
        assertThat(latest.keepWanted(model, 3)).isTrue();
        assertThat(latest.keepWanted(model, 3)).isFalse();
        assertThat(latest.keepWanted(model, 4)).isTrue();
    }

    @Test
    void aWishForReplicasLeavesRatesAndQueuesOfTheStepAlone() {
        // given a wish before and after a report of the same step, or of two steps next to each other
        create();
        demand.wanted(model, 7);
        demand.report(model, new DemandReport(10, 4, 2));
        demand.wanted(model, 8);

        // then the mean is the report's, not half of it
        assertThat(demand.history(model, Signal.REQUEST_RATE).last()).isEqualTo(10);
        assertThat(demand.history(model, Signal.QUEUE_DEPTH).last()).isEqualTo(4);
        assertThat(demand.history(model, Signal.REPLICAS).last()).isEqualTo(8);
        assertThat(jdbc.sql("SELECT sum(samples) FROM model_demand WHERE model_name = ?")
                        .param(model)
                        .query(Long.class)
                        .single())
                .isEqualTo(1);
    }

    @Test
    void whatIsOldIsNotKnown() {
        LatestDemand old = new LatestDemand(
                new LatestDemand.Report(1, 2, 9, Duration.ofMinutes(6)),
                new LatestDemand.Desired(3, Duration.ofMinutes(4)));

        assertThat(old.value(Signal.REPLICAS, LATELY)).hasValue(3);
        assertThat(old.value(Signal.REQUEST_RATE, LATELY)).isEmpty();
        assertThat(old.value(Signal.REPLICAS, Duration.ofMinutes(3))).isEmpty();
        assertThat(old.value(Signal.QUEUE_DEPTH, Duration.ofMinutes(7))).hasValue(2);
    }

    @Test
    void badWishesAreRefused() {
        create();

        assertThat(api.put("/api/v1/models/" + model + "/desired-replicas", Map.of("replicas", -1))
                        .code())
                .isEqualTo("INVALID_REQUEST");
        assertThat(api.put("/api/v1/models/none-" + model + "/desired-replicas", Map.of("replicas", 1))
                        .code())
                .isEqualTo("MODEL_NOT_FOUND");
    }
}
