package io.gpusnap.service.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import io.gpusnap.service.testing.TestManifest;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

@ServiceTest
class SnapshotLifecycleTest {
    @Autowired
    private Api api;

    private Catalogue catalogue;
    private SimulatedNode node;

    @BeforeEach
    void givenAModelVersionAndANode() {
        catalogue = Catalogue.create(api);
        node = SimulatedNode.register(api);
    }

    private Reply verify(String snapshot) {
        return api.once().post("/api/v1/snapshots/" + snapshot + "/verifications");
    }

    private Reply delete(String snapshot) {
        String path = "/api/v1/snapshots/" + snapshot;
        return api.with("If-Match", api.get(path).header("ETag")).delete(path);
    }

    private String state(String snapshot) {
        return catalogue.snapshot(snapshot).path("state").asString();
    }

    @Test
    void aManifestThatIsNotAcceptableFailsSnapshotAndOperation() {
        // given a save whose daemon reports a manifest with another digest
        JsonNode queued = catalogue
                .save(node.runs(SimulatedNode.process(1, "w")), "criu+cuda")
                .json();
        JsonNode task = node.claim();
        TestManifest good = TestManifest.of(task);
        Map<String, Object> result = new java.util.LinkedHashMap<>(good.saveResult());
        result.put("manifest", good.text().replace("pages-1.img", "pages-2.img"));

        // when
        Reply reply = node.complete(task, Map.of("outcome", "SUCCEEDED", "save", result));

        // then
        assertThat(reply.status()).isEqualTo(422);
        assertThat(reply.code()).isEqualTo("MANIFEST_INVALID");
        JsonNode snapshot = catalogue.snapshot(queued.at("/snapshot/id").asString());
        assertThat(snapshot.path("state").asString()).isEqualTo("FAILED");
        assertThat(snapshot.at("/failure/code").asString()).isEqualTo("MANIFEST_INVALID");
        assertThat(catalogue
                        .operation(task.path("operationId").asString())
                        .at("/failure/code")
                        .asString())
                .isEqualTo("MANIFEST_INVALID");
        assertThat(api.get("/api/v1/snapshots/" + snapshot.path("id").asString() + "/manifest")
                        .code())
                .isEqualTo("SNAPSHOT_NOT_READY");
    }

    @Test
    void theManifestComesBackByteForByte() {
        String snapshot = catalogue.ready(node);

        Reply manifest = api.get("/api/v1/snapshots/" + snapshot + "/manifest");

        assertThat(manifest.text())
                .isEqualTo(TestManifest.of(snapshot, "criu+cuda").text());
        assertThat(manifest.header("ETag"))
                .isEqualTo("\""
                        + catalogue.snapshot(snapshot).path("manifestDigest").asString() + "\"");
    }

    @Test
    void aVerificationThatFindsAllRightSaysWhen() {
        String snapshot = catalogue.ready(node);
        String before = catalogue.snapshot(snapshot).path("verifiedAt").asString();

        verify(snapshot).expect(202);
        JsonNode task = node.claim();
        node.complete(task, Map.of("outcome", "SUCCEEDED")).expect(204);

        assertThat(task.at("/verify/manifestDigest").asString())
                .isEqualTo(catalogue.snapshot(snapshot).path("manifestDigest").asString());
        assertThat(state(snapshot)).isEqualTo("READY");
        assertThat(catalogue.snapshot(snapshot).path("verifiedAt").asString()).isGreaterThan(before);
    }

    @Test
    void aVerificationThatFindsAWrongChunkQuarantinesForGood() {
        // given
        String snapshot = catalogue.ready(node);
        verify(snapshot).expect(202);

        // when
        node.fail(node.claim(), "CHUNK_CORRUPT").expect(204);

        // then
        assertThat(state(snapshot)).isEqualTo("QUARANTINED");
        assertThat(catalogue.restore(snapshot).code()).isEqualTo("SNAPSHOT_QUARANTINED");
        assertThat(verify(snapshot).code()).isEqualTo("SNAPSHOT_QUARANTINED");
        assertThat(api.once()
                        .post("/api/v1/restores", Map.of("model", catalogue.model(), "version", "v1"))
                        .expect(201)
                        .json()
                        .at("/restore/cold/code")
                        .asString())
                .isEqualTo("SNAPSHOT_NOT_READY");
    }

    @Test
    void aVerificationThatFailsForAnotherReasonCondemnsNothing() {
        String snapshot = catalogue.ready(node);
        verify(snapshot).expect(202);

        node.fail(node.claim(), "STORE_ERROR").expect(204);

        assertThat(state(snapshot)).isEqualTo("READY");
    }

    @Test
    void deletingNeedsTheETagAndLeavesADeletedRowWithoutManifest() {
        // given
        String snapshot = catalogue.ready(node);
        assertThat(api.delete("/api/v1/snapshots/" + snapshot).code()).isEqualTo("PRECONDITION_REQUIRED");
        assertThat(api.with("If-Match", "\"99\"")
                        .delete("/api/v1/snapshots/" + snapshot)
                        .code())
                .isEqualTo("PRECONDITION_FAILED");

        // when
        delete(snapshot).expect(202);
        assertThat(state(snapshot)).isEqualTo("DELETING");
        assertThat(catalogue.restore(snapshot).code()).isEqualTo("SNAPSHOT_NOT_READY");
        assertThat(delete(snapshot).code()).isEqualTo("CONFLICT");
        JsonNode task = node.claim();
        node.complete(task, Map.of("outcome", "SUCCEEDED")).expect(204);

        // then
        assertThat(task.at("/delete/snapshotId").asString()).isEqualTo(snapshot);
        assertThat(state(snapshot)).isEqualTo("DELETED");
        assertThat(api.get("/api/v1/snapshots/" + snapshot + "/manifest").code())
                .isEqualTo("SNAPSHOT_NOT_READY");
    }

    @Test
    void aDeletionThatFailsLeavesNothingThatCouldBeRestored() {
        String snapshot = catalogue.ready(node);
        delete(snapshot).expect(202);

        node.fail(node.claim(), "STORE_ERROR").expect(204);

        assertThat(state(snapshot)).isEqualTo("DELETING");
        assertThat(catalogue.restore(snapshot).code()).isEqualTo("SNAPSHOT_NOT_READY");
        assertThat(verify(snapshot).code()).isEqualTo("SNAPSHOT_NOT_READY");
    }

    @Test
    void aSnapshotThatARestoreUsesIsNotDeleted() {
        String snapshot = catalogue.ready(node);
        catalogue.restore(snapshot).expect(202);

        assertThat(delete(snapshot).code()).isEqualTo("IN_USE");
        node.thawed(node.claim(), 4711, "w").expect(204);
        delete(snapshot).expect(202);
    }

    @Test
    void aSnapshotThatIsBeingMadeIsNotDeletedAndADeletionNotCancelled() {
        String snapshot = catalogue
                .save(node.runs(SimulatedNode.process(1, "w")), "criu+cuda")
                .json()
                .at("/snapshot/id")
                .asString();
        assertThat(delete(snapshot).code()).isEqualTo("CONFLICT");
        node.saved(node.claim()).expect(204);

        String operation = delete(snapshot).expect(202).json().path("id").asString();
        assertThat(api.post("/api/v1/operations/" + operation + "/cancellation").code())
                .isEqualTo("CONFLICT");
    }

    @Test
    void aSuspendedWorkloadIsShownAsSuspendedAtOnce() {
        // given a suspend save after which the process stands still
        String workload = node.runs(SimulatedNode.process(1, "w"));
        catalogue.save(workload, "suspend").expect(202);
        JsonNode task = node.claim();
        Map<String, Object> result =
                new java.util.LinkedHashMap<>(TestManifest.of(task).saveResult());
        result.put("workloadAlive", true);

        // when
        node.complete(task, Map.of("outcome", "SUCCEEDED", "save", result)).expect(204);

        // then
        JsonNode now = api.get("/api/v1/workloads/" + workload).json();
        assertThat(now.path("state").asString()).isEqualTo("SUSPENDED");
        assertThat(now.path("suspendedSnapshotId").asString())
                .isEqualTo(task.at("/save/snapshotId").asString());
    }

    @Test
    void snapshotsAreListedByModelVersionAndState() {
        String ready = catalogue.ready(node);
        catalogue.save(node.runs(SimulatedNode.process(2, "x")), "criu+cuda").expect(202);

        assertThat(api.get("/api/v1/snapshots?state=READY&version=v1&model=" + catalogue.model())
                        .json()
                        .path("items")
                        .valueStream()
                        .map(item -> item.path("id").asString()))
                .containsExactly(ready);
        assertThat(api.get("/api/v1/snapshots?model=" + catalogue.model())
                        .json()
                        .path("items")
                        .size())
                .isEqualTo(2);
    }
}
