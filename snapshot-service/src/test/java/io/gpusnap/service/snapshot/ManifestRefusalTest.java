package io.gpusnap.service.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import io.gpusnap.service.testing.TestManifest;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

/**
 * What is wrong with the manifest is 422 and the end of its save, whatever it is; what is wrong with the body around it is 400, and
 * the daemon may say it again.
 */
@ServiceTest
class ManifestRefusalTest {
    @Autowired
    private Api api;

    private SimulatedNode node;
    private JsonNode queued;
    private JsonNode task;
    private Catalogue catalogue;

    @BeforeEach
    void givenASaveUnderWay() {
        catalogue = Catalogue.create(api);
        node = SimulatedNode.register(api);
        queued = catalogue
                .save(node.runs(SimulatedNode.process(1, "w")), "criu+cuda")
                .json();
        task = node.claim();
    }

    static Stream<Arguments> manifests() {
        String deep = "[".repeat(5_000) + "]".repeat(5_000);
        return Stream.of(
                change("a schema that is not known", text -> text.replace("gpusnap.manifest/5", "gpusnap.manifest/99")),
                change("no schema", text -> text.replace("\"schema\"", "\"scheme\"")),
                change("an algorithm that is not known", text -> text.replace("sha256-tree-4k", "crc32")),
                change("nested deeply", text -> text.replace("{\"schema\"", "{\"x\":" + deep + ",\"schema\"")),
                change("a key twice", text -> text.replace("\"schema\":", "\"schema\":\"a\",\"schema\":")),
                change(
                        "a size beyond all numbers",
                        text -> text.replace("\"sizeBytes\":8388608", "\"sizeBytes\":9223372036854775808")),
                change(
                        "sizes whose sum overflows",
                        text -> text.replace("\"sizeBytes\":8388608", "\"sizeBytes\":9223372036854775807")),
                change("a negative size", text -> text.replace("\"sizeBytes\":8388608", "\"sizeBytes\":-1")),
                change("a text for a number", text -> text.replace("\"sizeBytes\":4096", "\"sizeBytes\":\"4096\"")),
                change("a name that leads out", text -> text.replace("pages-1.img", "../../etc/passwd")),
                change("a name with NUL", text -> text.replace("pages-1.img", "a\\u0000b")),
                change("cut off", text -> text.substring(0, text.length() / 2)),
                change("null", text -> "null"),
                change("no JSON", text -> "nonsense"));
    }

    private static Arguments change(String what, UnaryOperator<String> change) {
        return Arguments.of(what, change);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("manifests")
    void aManifestThatIsWrongIsUnprocessable(String what, UnaryOperator<String> change) {
        TestManifest wrong = TestManifest.of(task).but(change);
        assertThat(wrong.text()).isNotEqualTo(TestManifest.of(task).text());

        Reply reply = node.complete(task, Map.of("outcome", "SUCCEEDED", "save", wrong.saveResult()));

        assertThat(reply.status()).isEqualTo(422);
        assertThat(reply.code()).isEqualTo("MANIFEST_INVALID");
        assertThat(catalogue
                        .snapshot(queued.at("/snapshot/id").asString())
                        .path("state")
                        .asString())
                .isEqualTo("FAILED");
    }

    static Stream<Arguments> bodies() {
        String deep = "[".repeat(5_000) + "]".repeat(5_000);
        return Stream.of(
                change("no JSON", text -> "nonsense"),
                change("cut off", text -> text.substring(0, text.length() / 2)),
                change("a key twice", text -> text.replace("{\"", "{\"outcome\":\"FAILED\",\"")),
                change("nested deeply", text -> text.replaceFirst("\\{", "{\"x\":" + deep + ",")),
                change("no digest", text -> text.replace("manifestDigest", "manifestDigits")),
                change("a digest that is none", text -> text.replaceFirst("(\"manifestDigest\":\")..", "$1xx")),
                change(
                        "a total beyond all numbers",
                        text -> text.replace("\"vramBytes\":8388608", "\"vramBytes\":9223372036854775808")),
                change("a negative total", text -> text.replace("\"hostBytes\":4096", "\"hostBytes\":-4096")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("bodies")
    void aBodyThatIsWrongIsABadRequestAndMayBeSaidAgain(String what, UnaryOperator<String> change) {
        String body = Api.JSON.writeValueAsString(Map.of(
                "epoch",
                task.path("epoch").asLong(),
                "outcome",
                "SUCCEEDED",
                "save",
                TestManifest.of(task).saveResult()));
        assertThat(change.apply(body)).isNotEqualTo(body);

        Reply reply = node.session().post(path(), change.apply(body));

        assertThat(reply.status()).as(reply.text()).isEqualTo(400);
        assertThat(reply.code()).isIn("MALFORMED_JSON", "INVALID_REQUEST");
        node.session().post(path(), body).expect(204);
        assertThat(catalogue
                        .snapshot(queued.at("/snapshot/id").asString())
                        .path("state")
                        .asString())
                .isEqualTo("READY");
    }

    private String path() {
        return "/node/v1/operations/" + task.path("operationId").asString() + "/completion";
    }
}
