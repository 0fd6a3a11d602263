package io.gpusnap.service.version;

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
class VersionApiTest {
    @Autowired
    private Api api;

    private Catalogue catalogue;
    private String path;

    @BeforeEach
    void givenAModelWithVersionV1() {
        catalogue = Catalogue.create(api);
        path = "/api/v1/models/" + catalogue.model() + "/versions";
    }

    @Test
    void aVersionKeepsWhatIsSaidOfIt() {
        Reply created = api.once()
                .post(
                        path,
                        Map.of(
                                "name", "v2",
                                "image", "llm@sha256:2",
                                "engineArguments", List.of("--dtype", "bfloat16"),
                                "framework", "torch 2.11",
                                "fingerprint", "sha256:abc",
                                "labels", Map.of("role", "canary")))
                .expect(201);

        Reply read = api.get(created.header("Location"));

        assertThat(read.json()).isEqualTo(created.json());
        assertThat(read.json().at("/engineArguments/1").asString()).isEqualTo("bfloat16");
        assertThat(read.json().path("model").asString()).isEqualTo(catalogue.model());
    }

    @Test
    void aChangeLeavesTheRestAsItIs() {
        String etag = api.get(path + "/v1").header("ETag");

        Reply changed = api.with("If-Match", etag).patch(path + "/v1", Map.of("framework", "vllm 0.15"));

        assertThat(changed.json().path("framework").asString()).isEqualTo("vllm 0.15");
        assertThat(changed.json().path("image").asString()).isEqualTo("llm@sha256:1");
    }

    @Test
    void namesAreUniqueWithinTheModelAndTheModelMustExist() {
        assertThat(api.once().post(path, Map.of("name", "v1")).code()).isEqualTo("NAME_TAKEN");
        assertThat(api.once()
                        .post("/api/v1/models/none/versions", Map.of("name", "v1"))
                        .code())
                .isEqualTo("MODEL_NOT_FOUND");
        assertThat(api.get(path + "/v9").code()).isEqualTo("VERSION_NOT_FOUND");
    }

    @Test
    void aVersionWithASnapshotIsNotDeleted() {
        // given
        SimulatedNode node = SimulatedNode.register(api);
        String snapshot = catalogue.ready(node);

        // when, then
        Reply refused = api.with("If-Match", "*").delete(path + "/v1");
        assertThat(refused.code()).isEqualTo("IN_USE");
        assertThat(refused.json().path("detail").asString()).contains("1 snapshots");

        // when the snapshot is gone, then the version can go, and the snapshot's row still names it
        api.with("If-Match", "*").delete("/api/v1/snapshots/" + snapshot).expect(202);
        node.complete(node.claim(), Map.of("outcome", "SUCCEEDED")).expect(204);
        api.with("If-Match", "*").delete(path + "/v1").expect(204);
        assertThat(catalogue.snapshot(snapshot).path("version").asString()).isEqualTo("v1");
    }

    @Test
    void aReadySnapshotFixesTheFactsAndLeavesTheWords() {
        // given
        catalogue.ready(SimulatedNode.register(api));

        // when, then: what the snapshot depends on stays
        Reply refused = api.with("If-Match", "*").patch(path + "/v1", Map.of("image", "llm@sha256:9"));
        assertThat(refused.code()).isEqualTo("VERSION_IMMUTABLE");
        assertThat(refused.json().path("detail").asString()).contains("READY snapshot since");

        // and what is only said of it can change
        JsonNode changed = api.with("If-Match", "*")
                .patch(path + "/v1", Map.of("tags", List.of("blessed"), "labels", Map.of("team", "a")))
                .expect(200)
                .json();
        assertThat(changed.at("/tags/0").asString()).isEqualTo("blessed");
        assertThat(changed.path("frozenAt").asString()).isNotEmpty();
        assertThat(changed.path("image").asString()).isEqualTo("llm@sha256:1");
    }

    @Test
    void aSnapshotThatBecameReadyMeanwhileMakesAnOldETagStale() {
        String etag = api.get(path + "/v1").header("ETag");
        catalogue.ready(SimulatedNode.register(api));

        assertThat(api.with("If-Match", etag)
                        .patch(path + "/v1", Map.of("framework", "vllm"))
                        .code())
                .isEqualTo("PRECONDITION_FAILED");
    }

    @Test
    void aLineageSaysWhatChangedAtEachStep() {
        // given v1 <- v2 <- v3
        api.once()
                .post(path, Map.of("name", "v2", "image", "llm@sha256:2", "parent", "v1", "changes", "new tokenizer"))
                .expect(201);
        api.once()
                .post(path, Map.of("name", "v3", "image", "llm@sha256:2", "parent", "v2", "framework", "vllm 0.15"))
                .expect(201);

        // when
        JsonNode steps = api.get(path + "/v3/lineage").expect(200).json().path("steps");

        // then
        assertThat(steps.valueStream().map(step -> step.path("version").asString()))
                .containsExactly("v3", "v2", "v1");
        assertThat(steps.at("/0/differences")).hasSize(1);
        assertThat(steps.at("/0/differences/0/fact").asString()).isEqualTo("framework");
        assertThat(steps.at("/1/changes").asString()).isEqualTo("new tokenizer");
        assertThat(steps.at("/1/differences/0/from").asString()).isEqualTo("llm@sha256:1");
        assertThat(steps.at("/2/differences")).isEmpty();
        assertThat(api.once().post(path, Map.of("name", "v4", "parent", "v9")).code())
                .isEqualTo("VERSION_NOT_FOUND");
    }
}
