package io.gpusnap.service.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.ServiceTest;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

@ServiceTest
class ModelApiTest {
    @Autowired
    private Api api;

    private final String name = "model-" + UUID.randomUUID();

    private Reply create() {
        return api.once()
                .post("/api/v1/models", Map.of("name", name, "description", "first", "labels", Map.of("team", "a")))
                .expect(201);
    }

    @Test
    void aModelIsCreatedReadAndListed() {
        Reply created = create();

        Reply read = api.get(created.header("Location"));

        assertThat(read.json()).isEqualTo(created.json());
        assertThat(read.header("ETag")).isEqualTo(created.header("ETag")).startsWith("\"");
        assertThat(read.json().at("/labels/team").asString()).isEqualTo("a");
    }

    @Test
    void aNameIsTakenOnce() {
        create();

        assertThat(api.once().post("/api/v1/models", Map.of("name", name)).code())
                .isEqualTo("NAME_TAKEN");
    }

    @Test
    void aChangeNeedsTheCurrentETag() {
        // given
        String etag = create().header("ETag");
        String path = "/api/v1/models/" + name;

        // when it is changed without, with and again with the same ETag
        Reply without = api.patch(path, Map.of("description", "second"));
        Reply with = api.with("If-Match", etag).patch(path, Map.of("description", "second"));
        Reply stale = api.with("If-Match", etag).patch(path, Map.of("description", "third"));

        // then
        assertThat(without.status()).isEqualTo(428);
        assertThat(without.code()).isEqualTo("PRECONDITION_REQUIRED");
        assertThat(with.json().path("description").asString()).isEqualTo("second");
        assertThat(with.json().at("/labels/team").asString()).isEqualTo("a");
        assertThat(with.header("ETag")).isNotEqualTo(etag);
        assertThat(stale.status()).isEqualTo(412);
        assertThat(stale.code()).isEqualTo("PRECONDITION_FAILED");
        assertThat(api.get(path).json().path("description").asString()).isEqualTo("second");
    }

    @Test
    void aWeakETagNeverMatches() {
        String etag = create().header("ETag");

        assertThat(api.with("If-Match", "W/" + etag)
                        .patch("/api/v1/models/" + name, Map.of())
                        .status())
                .isEqualTo(412);
    }

    @Test
    void aModelWithVersionsIsNotDeleted() {
        // given
        create();
        String path = "/api/v1/models/" + name;
        Reply version =
                api.once().post(path + "/versions", Map.of("name", "v1")).expect(201);

        // when, then
        assertThat(api.with("If-Match", "*").delete(path).code()).isEqualTo("IN_USE");
        api.with("If-Match", version.header("ETag"))
                .delete(path + "/versions/v1")
                .expect(204);
        api.with("If-Match", "*").delete(path).expect(204);
        assertThat(api.get(path).code()).isEqualTo("MODEL_NOT_FOUND");
    }
}
