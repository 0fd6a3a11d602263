package io.gpusnap.service.operation;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

@ServiceTest
class OperationEndTest {
    @Autowired
    private Api api;

    private Catalogue catalogue;
    private SimulatedNode node;
    private String operation;
    private String snapshot;

    @BeforeEach
    void givenAQueuedSave() {
        catalogue = Catalogue.create(api);
        node = SimulatedNode.register(api);
        JsonNode queued = catalogue
                .save(node.runs(SimulatedNode.process(1, "w")), "criu+cuda")
                .expect(202)
                .json();
        operation = queued.at("/operation/id").asString();
        snapshot = queued.at("/snapshot/id").asString();
    }

    private Reply cancel() {
        return api.post("/api/v1/operations/" + operation + "/cancellation");
    }

    private String state() {
        return catalogue.operation(operation).path("state").asString();
    }

    @Test
    void aPendingOperationIsCancelledAtOnce() {
        assertThat(cancel().expect(200).json().path("state").asString()).isEqualTo("CANCELLED");

        assertThat(node.poll(0).status()).isEqualTo(204);
        JsonNode after = catalogue.snapshot(snapshot);
        assertThat(after.path("state").asString()).isEqualTo("FAILED");
        assertThat(after.at("/failure/code").asString()).isEqualTo("CANCELLED");
        assertThat(cancel().status()).isEqualTo(200);
    }

    @Test
    void theDaemonOfARunningOneIsToldByProgressAndHeartbeat() {
        // given
        JsonNode task = node.claim();

        // when
        JsonNode asked = cancel().expect(200).json();

        // then
        assertThat(asked.path("state").asString()).isEqualTo("RUNNING");
        assertThat(asked.path("cancelRequested").asBoolean()).isTrue();
        assertThat(node.progress(task).json().path("cancelRequested").asBoolean())
                .isTrue();
        JsonNode heartbeat = node.heartbeat(
                        SimulatedNode.inventory(Map.of()),
                        List.of(SimulatedNode.process(1, "w")),
                        List.of(Map.of("operationId", operation, "epoch", 1)))
                .json();
        assertThat(heartbeat.at("/cancelOperations/0").asString()).isEqualTo(operation);
        node.complete(task, Map.of("outcome", "CANCELLED")).expect(204);
        assertThat(state()).isEqualTo("CANCELLED");
    }

    @Test
    void aFinishedOneCannotBeCancelled() {
        node.saved(node.claim()).expect(204);

        assertThat(cancel().code()).isEqualTo("OPERATION_FINISHED");
    }

    @Test
    void theSameCompletionTwiceIsOne() {
        JsonNode task = node.claim();

        assertThat(node.saved(task).status()).isEqualTo(204);
        assertThat(node.saved(task).status()).isEqualTo(204);
        assertThat(catalogue.snapshot(snapshot).path("state").asString()).isEqualTo("READY");
    }

    @Test
    void afterTheEndAnotherOutcomeOrProgressIsRefused() {
        JsonNode task = node.claim();
        node.saved(task).expect(204);

        assertThat(node.fail(task, "CRIU_FAILED").code()).isEqualTo("OPERATION_FINISHED");
        assertThat(node.progress(task).code()).isEqualTo("OPERATION_FINISHED");
        assertThat(state()).isEqualTo("SUCCEEDED");
    }

    @Test
    void aFailureKeepsCodeStageAndWords() {
        node.fail(node.claim(), "QUIESCE_TIMEOUT").expect(204);

        JsonNode failure = catalogue.operation(operation).path("failure");
        assertThat(failure.path("code").asString()).isEqualTo("QUIESCE_TIMEOUT");
        assertThat(failure.path("stage").asString()).isEqualTo("preflight");
        assertThat(failure.path("title").asString()).isNotBlank();
        assertThat(api.anonymous().get(failure.path("documentation").asString()).status())
                .isEqualTo(200);
        assertThat(catalogue.snapshot(snapshot).at("/failure/code").asString()).isEqualTo("QUIESCE_TIMEOUT");
    }

    @Test
    void aFailureCodeFromANewerDaemonIsKeptInWords() {
        node.fail(node.claim(), "FROM_THE_FUTURE").expect(204);

        JsonNode failure = catalogue.operation(operation).path("failure");
        assertThat(failure.path("code").asString()).isEqualTo("INTERNAL");
        assertThat(failure.path("detail").asString()).isEqualTo("FROM_THE_FUTURE: simulated");
    }

    @Test
    void aWorkloadThatDidNotSurviveIsGone() {
        JsonNode task = node.claim();
        node.complete(
                        task,
                        Map.of(
                                "outcome",
                                "FAILED",
                                "workloadLost",
                                true,
                                "failure",
                                Map.of("code", "DRIVER_FAILED", "detail", "x", "stage", "revive", "retryable", false)))
                .expect(204);

        String workload = catalogue.snapshot(snapshot).path("workloadId").asString();
        assertThat(api.get("/api/v1/workloads/" + workload).json().path("state").asString())
                .isEqualTo("GONE");
    }

    @Test
    void successWithoutAResultIsRefusedAndEndsNothing() {
        JsonNode task = node.claim();

        Reply reply = node.complete(task, Map.of("outcome", "SUCCEEDED"));

        assertThat(reply.code()).isEqualTo("INVALID_REQUEST");
        assertThat(reply.json().at("/errors/0/pointer").asString()).isEqualTo("/save");
        assertThat(state()).isEqualTo("RUNNING");
    }

    @Test
    void aReportWithoutItsEpochIsRefused() {
        JsonNode task = node.claim();

        Reply reply = node.session()
                .post(
                        "/node/v1/operations/" + task.path("operationId").asString() + "/progress",
                        Map.of("stages", List.of()));

        assertThat(reply.code()).isEqualTo("INVALID_REQUEST");
    }

    @Test
    void operationsAreListedByWhatTheyAre() {
        assertThat(api.get("/api/v1/operations?state=PENDING&kind=SAVE&node=" + node.id())
                        .json()
                        .path("items")
                        .valueStream()
                        .map(item -> item.path("id").asString()))
                .containsExactly(operation);
        assertThat(api.get("/api/v1/operations?kind=THAW&snapshot=" + snapshot)
                        .json()
                        .path("items")
                        .size())
                .isZero();
    }
}
