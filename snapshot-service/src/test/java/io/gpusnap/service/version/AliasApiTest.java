package io.gpusnap.service.version;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

@ServiceTest
class AliasApiTest {
    @Autowired
    private Api api;

    private String versions;
    private String aliases;
    private String stable;

    @BeforeEach
    void givenThreeVersionsAndAnAlias() {
        Catalogue catalogue = Catalogue.create(api);
        versions = "/api/v1/models/" + catalogue.model() + "/versions";
        aliases = "/api/v1/models/" + catalogue.model() + "/aliases";
        stable = aliases + "/stable";
        api.once().post(versions, Map.of("name", "v2")).expect(201);
        api.once().post(versions, Map.of("name", "v3")).expect(201);
        api.once()
                .post(aliases, Map.of("name", "stable", "version", "v1", "reason", "first"))
                .expect(201);
    }

    private Reply promote(String version, String etag) {
        return api.with("If-Match", etag).patch(stable, Map.of("version", version, "reason", "to " + version));
    }

    private Reply rollBack() {
        return api.with("If-Match", "*").post(stable + "/rollback", Map.of());
    }

    @Test
    void anAliasIsMovedByOneWhoSawIt() {
        String etag = api.get(stable).expect(200).header("ETag");

        Reply moved = promote("v2", etag);

        assertThat(moved.expect(200).json().path("version").asString()).isEqualTo("v2");
        assertThat(promote("v3", etag).code()).isEqualTo("PRECONDITION_FAILED");
        assertThat(api.patch(stable, Map.of("version", "v3")).code()).isEqualTo("PRECONDITION_REQUIRED");
        assertThat(api.get(stable).json().path("version").asString()).isEqualTo("v2");
    }

    @Test
    void whoSawAnAliasBeforeItWasMadeAnewMovesNothing() {
        String etag = api.get(stable).header("ETag");
        api.with("If-Match", "*").delete(stable).expect(204);
        api.once()
                .post(aliases, Map.of("name", "stable", "version", "v2", "reason", "anew"))
                .expect(201);

        assertThat(promote("v3", etag).code()).isEqualTo("PRECONDITION_FAILED");
        promote("v3", api.get(stable).header("ETag")).expect(200);
    }

    @Test
    void ofManyWhoPromoteAtOnceOneWins() throws Exception {
        String etag = api.get(stable).header("ETag");
        List<Callable<Integer>> movers = IntStream.range(0, 8)
                .<Callable<Integer>>mapToObj(i ->
                        () -> promote(i % 2 == 0 ? "v2" : "v3", etag).status())
                .toList();

        try (ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Integer> statuses =
                    pool.invokeAll(movers).stream().map(Future::resultNow).toList();
            assertThat(statuses).containsOnly(200, 412).containsOnlyOnce(200);
        }
    }

    @Test
    void everyMoveIsKeptWithWhoAndWhy() {
        promote("v2", "*").expect(200);
        rollBack().expect(200);
        api.with("If-Match", "*").delete(stable).expect(204);

        JsonNode history = api.get(stable + "/history").expect(200).json().path("items");

        assertThat(history.valueStream().map(change -> change.path("kind").asString()))
                .containsExactly("DELETED", "ROLLED_BACK", "PROMOTED", "CREATED");
        assertThat(history.at("/2/fromVersion").asString()).isEqualTo("v1");
        assertThat(history.at("/2/toVersion").asString()).isEqualTo("v2");
        assertThat(history.at("/2/why").asString()).isEqualTo("to v2");
        assertThat(history.at("/2/who").asString()).isEqualTo("operator");
        assertThat(api.get(stable).code()).isEqualTo("ALIAS_NOT_FOUND");
    }

    @Test
    void aRollbackGoesOneVersionBackEachTime() {
        promote("v2", "*").expect(200);
        promote("v3", "*").expect(200);

        assertThat(rollBack().json().path("version").asString()).isEqualTo("v2");
        assertThat(rollBack().json().path("version").asString()).isEqualTo("v1");
        assertThat(rollBack().code()).isEqualTo("CONFLICT");
    }

    @Test
    void anAliasNeverDangles() {
        Reply refused = api.with("If-Match", "*").delete(versions + "/v1");

        assertThat(refused.code()).isEqualTo("IN_USE");
        assertThat(refused.json().path("detail").asString()).contains("alias stable");
        assertThat(promote("v9", "*").code()).isEqualTo("VERSION_NOT_FOUND");
        api.with("If-Match", "*").delete(versions + "/v2").expect(204);
    }

    @Test
    void aRollbackToADeletedVersionIsRefused() {
        promote("v2", "*").expect(200);
        api.with("If-Match", "*").delete(versions + "/v1").expect(204);

        Reply refused = rollBack();

        assertThat(refused.code()).isEqualTo("CONFLICT");
        assertThat(refused.json().path("detail").asString()).contains("v1", "deleted");
        assertThat(api.get(stable).json().path("version").asString()).isEqualTo("v2");
    }

    @Test
    void namesAreUniqueWithinTheModel() {
        assertThat(api.once()
                        .post(aliases, Map.of("name", "stable", "version", "v2"))
                        .code())
                .isEqualTo("NAME_TAKEN");
        api.once().post(aliases, Map.of("name", "canary", "version", "v2")).expect(201);
        assertThat(api.get(aliases)
                        .json()
                        .path("items")
                        .valueStream()
                        .map(alias -> alias.path("name").asString()))
                .containsExactly("canary", "stable");
    }
}
