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
import tools.jackson.databind.JsonNode;

@ServiceTest
class ForecastApiTest {
    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private Demand demand;

    @Autowired
    private ForecastOutlook outlook;

    private final String model = "m-" + UUID.randomUUID();

    private void create() {
        api.once().post("/api/v1/models", Map.of("name", model)).expect(201);
    }

    private Api.Reply report(double rate, int queue, int replicas) {
        return api.post(
                "/api/v1/models/" + model + "/demand",
                Map.of("requestsPerSecond", rate, "queueDepth", queue, "replicasDesired", replicas));
    }

    private JsonNode forecast(String query) {
        return api.get("/api/v1/models/" + model + "/forecast" + query)
                .expect(200)
                .json();
    }

    /** Days of demand before now, between 1 and 19 replicas; now is in the middle of the daily rise. */
    private void past(int days) {
        jdbc.sql("""
                        INSERT INTO model_demand
                        SELECT :model, date_bin('5 minutes', now(), 'epoch') - i * interval '5 minutes', 1, 1.5, 0,
                               round(10 - 9 * sin(2 * pi() * i / 288))::integer
                          FROM generate_series(1, :days * 288) AS i
                        """).param("model", model).param("days", days).update();
    }

    @Test
    void reportsOfAStepBecomeOneRow() {
        // given
        create();

        // when
        report(10, 4, 2).expect(204);
        report(20, 1, 3).expect(204);

        // then the mean of the rates and the highest of the rest, at most split over two steps
        Map<String, Object> kept = jdbc.sql(
                        "SELECT sum(samples) AS samples, max(replicas) AS replicas, max(queue_depth) AS queue, count(*) AS rows FROM model_demand WHERE model_name = ?")
                .param(model)
                .query()
                .singleRow();
        assertThat(kept)
                .containsEntry("samples", 2L)
                .containsEntry("replicas", 3)
                .containsEntry("queue", 4);
        assertThat((Long) kept.get("rows")).isLessThanOrEqualTo(2);
        assertThat(forecast("?signal=QUEUE_DEPTH").path("latest").asDouble()).isIn(4.0, 1.0);
    }

    @Test
    void whatRepeatsIsForecastWithItsErrorBesideTheBaselines() {
        // given four days, in the middle of the daily rise
        create();
        past(4);

        // when
        JsonNode forecast = forecast("?horizonMinutes=60");

        // then
        assertThat(forecast.path("forecaster").asString()).isEqualTo("seasonal");
        assertThat(forecast.path("observedSteps").asInt()).isBetween(4 * 288, 4 * 288 + 1);
        assertThat(forecast.path("points")).hasSize(12);
        assertThat(forecast.at("/points/11/p50").asDouble())
                .isGreaterThan(forecast.path("latest").asDouble() + 1);
        assertThat(forecast.at("/accuracy/0/forecaster").asString()).isEqualTo("seasonal");
        assertThat(forecast.at("/accuracy/1/forecaster").asString()).isEqualTo("naive");
        assertThat(forecast.at("/accuracy/0/medianLoss").asDouble())
                .isLessThan(forecast.at("/accuracy/1/medianLoss").asDouble());
    }

    @Test
    void policiesHearWhatIsExpected() {
        create();
        past(4);

        Map<String, Double> expected = outlook.expectedReplicas(Duration.ofHours(1));

        assertThat(expected.get(model))
                .isGreaterThan(forecast("").path("latest").asDouble());
    }

    @Test
    void aModelThatNobodyReportsOnWantsNothing() {
        create();

        JsonNode forecast = forecast("");

        assertThat(forecast.path("observedSteps").asInt()).isZero();
        assertThat(forecast.at("/points/0/p90").asDouble()).isZero();
        assertThat(forecast.path("accuracy")).isEmpty();
    }

    @Test
    void demandIsForgottenOnDatabaseTime() {
        // given a row that is older than the retention of 15 days, and one that is not
        create();
        jdbc.sql("""
                        INSERT INTO model_demand SELECT :model, now() - days * interval '1 day', 1, 0, 0, 1
                          FROM unnest(ARRAY[16, 14]) AS days
                        """).param("model", model).update();

        // when
        demand.forgetOld();

        // then
        assertThat(jdbc.sql("SELECT count(*) FROM model_demand WHERE model_name = ?")
                        .param(model)
                        .query(Long.class)
                        .single())
                .isEqualTo(1);
    }

    @Test
    void demandGoesWithItsModel() {
        create();
        report(1, 1, 1).expect(204);
        String etag = api.get("/api/v1/models/" + model).header("ETag");

        api.with("If-Match", etag).delete("/api/v1/models/" + model).expect(204);

        assertThat(api.get("/api/v1/models/" + model + "/forecast").code()).isEqualTo("MODEL_NOT_FOUND");
    }

    @Test
    void badReportsAndQuestionsAreRefused() {
        create();

        assertThat(report(-1, 0, 0).code()).isEqualTo("INVALID_REQUEST");
        assertThat(report(1, 0, 100_001).code()).isEqualTo("INVALID_REQUEST");
        assertThat(api.get("/api/v1/models/" + model + "/forecast?horizonMinutes=1441")
                        .code())
                .isEqualTo("INVALID_REQUEST");
        assertThat(api.get("/api/v1/models/" + model + "/forecast?signal=HUNGER")
                        .code())
                .isEqualTo("INVALID_REQUEST");
        assertThat(api.post(
                                "/api/v1/models/none-" + UUID.randomUUID() + "/demand",
                                Map.of("requestsPerSecond", 1, "queueDepth", 0, "replicasDesired", 1))
                        .code())
                .isEqualTo("MODEL_NOT_FOUND");
    }
}
