package io.gpusnap.service.scaling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import externalscaler.GetMetricsRequest;
import externalscaler.IsActiveResponse;
import externalscaler.MetricSpec;
import externalscaler.MetricValue;
import externalscaler.ScaledObjectRef;
import io.gpusnap.service.forecast.Demand;
import io.gpusnap.service.forecast.DemandReport;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.ServiceTest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;

/**
 * As KEDA calls it, with a client that is generated from the contract. The recheck is set so long that whatever a stream tells
 * comes from a notice.
 */
@ServiceTest
class ExternalScalerTest {
    @Autowired
    private Api api;

    @Autowired
    private ScalerServer server;

    @Autowired
    private ActivityStreams streams;

    @Autowired
    private Demand demand;

    @Autowired
    private JdbcClient jdbc;

    private final String model = "m-" + UUID.randomUUID();
    private Keda keda;

    @BeforeEach
    void aModel() {
        connect();
        api.once().post("/api/v1/models", Map.of("name", model)).expect(201);
    }

    private void connect() {
        keda = new Keda(server);
    }

    @AfterEach
    void disconnect() throws InterruptedException {
        keda.close();
    }

    private ScaledObjectRef trigger(String signal, String... more) {
        Map<String, String> metadata =
                new HashMap<>(Map.of("scalerAddress", "x:6000", "model", model, "signal", signal, "target", "2.5"));
        for (int i = 0; i < more.length; i += 2) {
            metadata.put(more[i], more[i + 1]);
        }
        return ScaledObjectRef.newBuilder()
                .setName("llm")
                .setNamespace("default")
                .putAllScalerMetadata(metadata)
                .build();
    }

    private MetricValue metric(ScaledObjectRef trigger) {
        MetricSpec spec = keda.calls().getMetricSpec(trigger).getMetricSpecs(0);
        return keda.calls()
                .getMetrics(GetMetricsRequest.newBuilder()
                        .setScaledObjectRef(trigger)
                        .setMetricName(spec.getMetricName())
                        .build())
                .getMetricValues(0);
    }

    /** What a stream brings: answers, and at the end how it ended. */
    private static final class Heard implements ClientResponseObserver<ScaledObjectRef, IsActiveResponse> {
        final BlockingQueue<Object> said = new LinkedBlockingQueue<>();
        private volatile ClientCallStreamObserver<ScaledObjectRef> call;

        @Override
        public void beforeStart(ClientCallStreamObserver<ScaledObjectRef> started) {
            call = started;
        }

        @Override
        public void onNext(IsActiveResponse answer) {
            said.add(answer.getResult());
        }

        @Override
        public void onError(Throwable failure) {
            said.add(Status.fromThrowable(failure).getCode());
        }

        @Override
        public void onCompleted() {
            said.add("completed");
        }

        Object next() throws InterruptedException {
            return said.poll(30, TimeUnit.SECONDS);
        }
    }

    private Heard stream(ScaledObjectRef trigger) {
        Heard heard = new Heard();
        keda.streams().streamIsActive(trigger, heard);
        return heard;
    }

    @Test
    void rateQueueAndReplicasAreWhatWasReportedLast() {
        // given two reports: the last one counts, not their mean
        demand.report(model, new DemandReport(100, 50, 9));
        demand.report(model, new DemandReport(7.25, 3, 2));

        // then
        MetricSpec spec = keda.calls().getMetricSpec(trigger("request-rate")).getMetricSpecs(0);
        assertThat(spec.getTargetSizeFloat()).isEqualTo(2.5);
        assertThat(spec.getTargetSize()).isEqualTo(3);
        assertThat(spec.getMetricName()).isEqualTo("gpusnap-request-rate-" + model);
        MetricValue rate = metric(trigger("request-rate"));
        assertThat(rate.getMetricName()).isEqualTo(spec.getMetricName());
        assertThat(rate.getMetricValueFloat()).isEqualTo(7.25);
        assertThat(rate.getMetricValue()).isEqualTo(8);
        assertThat(metric(trigger("queue-depth")).getMetricValueFloat()).isEqualTo(3);
        assertThat(metric(trigger("replicas")).getMetricValueFloat()).isEqualTo(2);
    }

    @Test
    void activeIsWhatIsAboveTheActivation() {
        demand.report(model, new DemandReport(1, 3, 0));

        assertThat(keda.calls().isActive(trigger("queue-depth")).getResult()).isTrue();
        assertThat(keda.calls()
                        .isActive(trigger("queue-depth", "activation", "3"))
                        .getResult())
                .isFalse();
        assertThat(keda.calls().isActive(trigger("replicas")).getResult()).isFalse();
    }

    @Test
    void replicasThatAnAutoscalerWantsAreDemand() {
        // given a deployment's wish, over REST, and no report
        api.put("/api/v1/models/" + model + "/desired-replicas", Map.of("replicas", 4))
                .expect(204);

        // then replicas are known, rates are not
        assertThat(metric(trigger("replicas")).getMetricValueFloat()).isEqualTo(4);
        assertRefused(() -> metric(trigger("request-rate")), Status.Code.UNAVAILABLE, "nobody has reported");

        // and of two who want replicas the greater one counts
        demand.report(model, new DemandReport(1, 0, 6));
        assertThat(metric(trigger("replicas")).getMetricValueFloat()).isEqualTo(6);
    }

    @Test
    void aheadTheForecastCountsWhereItIsGreater() {
        // given four days between 1 and 19 replicas, now in the middle of the daily rise
        jdbc.sql("""
                        INSERT INTO model_demand
                        SELECT :model, date_bin('5 minutes', now(), 'epoch') - i * interval '5 minutes', 1, 1.5, 0,
                               round(10 - 9 * sin(2 * pi() * i / 288))::integer
                          FROM generate_series(1, 4 * 288) AS i
                        """).param("model", model).update();
        demand.wanted(model, 10);

        assertThat(metric(trigger("replicas")).getMetricValueFloat()).isEqualTo(10);
        assertThat(metric(trigger("replicas", "aheadMinutes", "120")).getMetricValueFloat())
                .isGreaterThan(12);
    }

    @Test
    void aStreamTellsWhatIsKnownAndThenEachChange() throws InterruptedException {
        // given nothing is known yet
        Heard heard = stream(trigger("request-rate", "activation", "1"));
        await().atMost(Duration.ofSeconds(30)).until(() -> streams.isOpenFor(model));

        // when, then
        demand.report(model, new DemandReport(5, 0, 0));
        assertThat(heard.next()).isEqualTo(true);
        // still active: nothing is told
        demand.report(model, new DemandReport(6, 0, 0));
        demand.report(model, new DemandReport(1, 0, 0));
        assertThat(heard.next()).isEqualTo(false);
        demand.report(model, new DemandReport(2, 0, 0));
        assertThat(heard.next()).isEqualTo(true);
    }

    /** Nobody looks for ten minutes: what is heard is told by a notice, each of them by its own. */
    @Test
    void eachOfManyChangesIsPushedInItsOrderWhoeverKeptIt() throws InterruptedException {
        // given
        demand.wanted(model, 0);
        Heard heard = stream(trigger("replicas"));
        assertThat(heard.next()).isEqualTo(false);

        // when, then
        for (IntConsumer wish :
                List.<IntConsumer>of(replicas -> demand.wanted(model, replicas), this::anotherInstanceKeeps)) {
            for (int i = 0; i < 10; i++) {
                boolean active = i % 2 == 0;
                wish.accept(active ? 3 : 0);
                assertThat(heard.next()).isEqualTo(active);
            }
        }
        assertThat(heard.said).isEmpty();
    }

    /** What another instance does, which shares nothing with this one but the database. */
    private void anotherInstanceKeeps(int replicas) {
        jdbc.sql("""
                        WITH kept AS (
                            UPDATE model_demand_now SET desired_replicas = :replicas, desired_at = now()
                             WHERE model_name = :model)
                        SELECT pg_notify(:channel, :model)
                        """)
                .param("replicas", replicas)
                .param("model", model)
                .param("channel", Demand.CHANGED_CHANNEL)
                .query((row, number) -> true)
                .single();
    }

    @Test
    void aServerThatWasStoppedAndStartedAgainTellsOfChangesAsBefore() throws InterruptedException {
        // given
        server.stop();
        server.start();
        disconnect();
        connect();
        demand.wanted(model, 0);
        Heard heard = stream(trigger("replicas"));
        assertThat(heard.next()).isEqualTo(false);

        // when, then
        demand.wanted(model, 3);
        assertThat(heard.next()).isEqualTo(true);
    }

    @Test
    void aStreamHearsOfWhatWasReportedToAnotherInstance() throws InterruptedException {
        // given a stream that has told the first state
        demand.wanted(model, 0);
        Heard heard = stream(trigger("replicas"));
        assertThat(heard.next()).isEqualTo(false);

        // when
        anotherInstanceKeeps(3);

        // then
        assertThat(heard.next()).isEqualTo(true);
    }

    @Test
    void aStreamOfAModelThatIsDeletedEndsWithTheReason() throws InterruptedException {
        demand.wanted(model, 1);
        Heard heard = stream(trigger("replicas"));
        assertThat(heard.next()).isEqualTo(true);
        String etag = api.get("/api/v1/models/" + model).header("ETag");

        api.with("If-Match", etag).delete("/api/v1/models/" + model).expect(204);
        streams.recheck();

        assertThat(heard.next()).isEqualTo(Status.Code.NOT_FOUND);
        await().atMost(Duration.ofSeconds(30)).until(() -> !streams.isOpenFor(model));
    }

    @Test
    void aStreamThatIsCancelledIsForgotten() throws InterruptedException {
        demand.wanted(model, 1);
        Heard heard = stream(trigger("replicas"));
        assertThat(heard.next()).isEqualTo(true);

        heard.call.cancel("the ScaledObject was deleted", null);

        await().atMost(Duration.ofSeconds(30)).until(() -> !streams.isOpenFor(model));
    }

    @Test
    void whatIsNotKnownIsAnErrorAndNotZero() {
        assertRefused(() -> keda.calls().isActive(trigger("replicas")), Status.Code.UNAVAILABLE, "nobody has reported");

        // a report that is too old
        demand.report(model, new DemandReport(1, 1, 1));
        jdbc.sql("UPDATE model_demand_now SET reported_at = now() - interval '10 minutes' WHERE model_name = ?")
                .param(model)
                .update();
        assertRefused(() -> metric(trigger("replicas")), Status.Code.UNAVAILABLE, "gpusnap.scaler.stale-after");
    }

    @Test
    void whatCannotBeAnsweredIsRefusedWithTheReason() throws InterruptedException {
        assertRefused(
                () -> keda.calls().isActive(trigger("replicas", "model", "none-" + model)),
                Status.Code.NOT_FOUND,
                "MODEL_NOT_FOUND");
        assertRefused(
                () -> keda.calls().getMetricSpec(trigger("hunger")),
                Status.Code.INVALID_ARGUMENT,
                "metadata signal: must be");
        assertRefused(
                () -> keda.calls()
                        .getMetrics(GetMetricsRequest.newBuilder()
                                .setScaledObjectRef(trigger("replicas"))
                                .setMetricName("s0-x")
                                .build()),
                Status.Code.INVALID_ARGUMENT,
                "this trigger's metric is gpusnap-replicas-" + model);
        assertThat(stream(trigger("hunger")).next()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(stream(trigger("replicas", "model", "none-" + model)).next()).isEqualTo(Status.Code.NOT_FOUND);
    }

    @Test
    void callsPushesAndStreamsAreCounted() throws InterruptedException {
        demand.wanted(model, 1);
        assertThat(stream(trigger("replicas")).next()).isEqualTo(true);
        metric(trigger("replicas"));

        assertThat(api.get("/actuator/prometheus").expect(200).text())
                .containsPattern("gpusnap_scaler_calls_total\\{[^}]*method=\"GetMetrics\",status=\"ok\"[^}]*} [1-9]")
                .containsPattern("gpusnap_scaler_pushes_total\\{[^}]*} [1-9]")
                .containsPattern("gpusnap_scaler_streams\\{[^}]*} [1-9]")
                .doesNotContain(model);
    }

    private static void assertRefused(Runnable call, Status.Code code, String words) {
        assertThatThrownBy(call::run).isInstanceOfSatisfying(StatusRuntimeException.class, refusal -> {
            assertThat(refusal.getStatus().getCode()).isEqualTo(code);
            assertThat(refusal.getStatus().getDescription()).contains(words);
        });
    }
}
