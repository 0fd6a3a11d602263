package io.gpusnap.service.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gpusnap.service.operation.Completion;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.testing.TestManifest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ManifestCheckTest {
    private static final SnapshotId SNAPSHOT = SnapshotId.next();
    private static final Completion.Totals TOTALS = new Completion.Totals(8388608, 4096, 8392704, 4198400, 3, 2, 1);

    private final TestManifest good = TestManifest.of(SNAPSHOT.toString(), "criu+cuda");

    private static Completion.SaveResult result(TestManifest manifest) {
        return new Completion.SaveResult(manifest.text(), manifest.digest(), TOTALS, 1.0, false, 0L, 0L, null);
    }

    private static byte[] check(TestManifest manifest) throws ManifestCheck.Refused {
        return ManifestCheck.check(SNAPSHOT, Engine.CRIU_CUDA, result(manifest)).bytes();
    }

    @Test
    void aGoodManifestIsKeptByteForByte() throws Exception {
        assertThat(check(good)).isEqualTo(good.text().getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void fieldsThatOnlyDaemonsReadDoNotMatter() throws Exception {
        TestManifest more =
                good.but(text -> text.replace("{\"schema\"", "{\"producer\":{\"gpusnap\":\"9\"},\"schema\""));

        assertThat(check(more)).isNotEmpty();
    }

    @Test
    void hostAreasCountAsHostMemory() throws Exception {
        TestManifest inAnArea = good.but(text -> text.replaceAll("\"files\":\\[.*],\"areas\":\\[]", "\"files\":[],")
                .replace("\"files\":[],", "\"files\":[]," + area(7, "0x7f0000400000", 4096)));

        assertThat(inAnArea.text()).contains("taskId").doesNotContain("pages-1.img");
        assertThat(check(inAnArea)).isNotEmpty();
    }

    @Test
    void theFirstSchemaIsTakenFromNodesOfOld() throws Exception {
        assertThat(check(good.but(text ->
                        text.replace("gpusnap.manifest/5", "gpusnap.manifest/1").replace(",\"areas\":[]", ""))))
                .isNotEmpty();
    }

    @Test
    void theSecondSchemaIsTakenFromNodesOfOld() throws Exception {
        assertThat(check(good.but(text -> text.replace("gpusnap.manifest/5", "gpusnap.manifest/2"))))
                .isNotEmpty();
        assertThatThrownBy(() -> check(good.but(text ->
                        text.replace("gpusnap.manifest/5", "gpusnap.manifest/2").replace(",\"areas\":[]", ""))))
                .hasMessageContaining("host.areas");
    }

    @Test
    void theThirdAndFourthSchemaAreTakenFromNodesOfOld() throws Exception {
        for (String schema : List.of("gpusnap.manifest/3", "gpusnap.manifest/4")) {
            assertThat(check(good.but(text -> text.replace("gpusnap.manifest/5", schema))))
                    .isNotEmpty();
        }
    }

    @Test
    void aWorkloadOfAContainerIsTaken() throws Exception {
        assertThat(check(good.but(text -> text.replace("gpusnap.manifest/5", "gpusnap.manifest/6"))))
                .isNotEmpty();
    }

    @Test
    void anotherDigestIsRefused() {
        Completion.SaveResult result =
                new Completion.SaveResult(good.text(), "00".repeat(32), TOTALS, 1.0, false, 0L, 0L, null);

        assertThatThrownBy(() -> ManifestCheck.check(SNAPSHOT, Engine.CRIU_CUDA, result))
                .isInstanceOf(ManifestCheck.Refused.class)
                .hasMessageContaining(good.digest())
                .hasMessageContaining("00".repeat(32));
    }

    @Test
    void anotherSnapshotOrEngineIsRefused() {
        assertThatThrownBy(() -> ManifestCheck.check(SnapshotId.next(), Engine.CRIU_CUDA, result(good)))
                .hasMessageContaining("snapshotId");
        assertThatThrownBy(() -> ManifestCheck.check(SNAPSHOT, Engine.SUSPEND, result(good)))
                .hasMessageContaining("engine");
    }

    static Stream<Arguments> wrong() {
        String deep = "[".repeat(40) + "]".repeat(40);
        return Stream.of(
                change("no JSON", text -> "nonsense", "not well formed"),
                change("null", text -> "null", "null"),
                change("cut off", text -> text.substring(0, text.length() / 2), "not well formed"),
                change("two documents", text -> text + text, "not well formed"),
                change(
                        "too deep",
                        text -> text.replace("{\"schema\"", "{\"x\":" + deep + ",\"schema\""),
                        "not well formed"),
                change(
                        "duplicate key",
                        text -> text.replace("\"schema\":", "\"schema\":\"a\",\"schema\":"),
                        "not well formed"),
                change("missing part", text -> text.replace("\"host\"", "\"guest\""), "not well formed"),
                change("null list", text -> text.replaceAll("\"files\":\\[.*]}", "\"files\":null}"), "not well formed"),
                change(
                        "text for number",
                        text -> text.replace("\"sizeBytes\":4096,\"mode\"", "\"sizeBytes\":\"4096\",\"mode\""),
                        "not well formed"),
                change(
                        "number too large",
                        text -> text.replace("\"sizeBytes\":8388608", "\"sizeBytes\":99999999999999999999"),
                        "not well formed"),
                change("other schema", text -> text.replace("gpusnap.manifest/5", "gpusnap.manifest/7"), "schema"),
                change(
                        "areas in the first schema",
                        text -> text.replace("gpusnap.manifest/5", "gpusnap.manifest/1"),
                        "host.areas"),
                change("no areas", text -> text.replace(",\"areas\":[]", ""), "host.areas"),
                change("null areas", text -> text.replace("\"areas\":[]", "\"areas\":null"), "host.areas"),
                change("area without task", text -> text.replace("\"areas\":[]", area(0, "0x1000", 4096)), "no task"),
                change("area's address", text -> text.replace("\"areas\":[]", area(7, "1000", 4096)), "hex address"),
                change("area's sum", text -> text.replace("\"areas\":[]", area(7, "0x1000", 1)), "its chunks 4096"),
                change(
                        "area that is not counted",
                        text -> text.replace("\"areas\":[]", area(7, "0x1000", 4096)),
                        "totals.hostBytes"),
                change("other algorithm", text -> text.replace("sha256-tree-4k", "md5"), "digestAlgorithm"),
                change("address", text -> text.replace("0x7f0000000000", "7f"), "hex address"),
                change("file name", text -> text.replace("pages-1.img", "../pages"), "not plain"),
                change("NUL in file name", text -> text.replace("pages-1.img", "a\\u0000b"), "not plain"),
                change("digest", text -> text.replaceFirst("\"digest\":\"ab", "\"digest\":\"AB"), "without digest"),
                change(
                        "chunk too large",
                        text -> text.replace("\"sizeBytes\":4194304}]", "\"sizeBytes\":4194305}]"),
                        "chunk of 4194305"),
                change(
                        "empty chunk",
                        text -> text.replace("\"sizeBytes\":4194304}]", "\"sizeBytes\":0}]"),
                        "chunk of 0"),
                change(
                        "sum",
                        text -> text.replace("\"sizeBytes\":8388608", "\"sizeBytes\":8388609"),
                        "its chunks 8388608"),
                change(
                        "vram total",
                        text -> text.replace("\"vramBytes\":8388608", "\"vramBytes\":1"),
                        "totals.vramBytes"),
                change(
                        "chunk total",
                        text -> text.replace("\"chunksTotal\":3", "\"chunksTotal\":4"),
                        "totals.chunksTotal"),
                change("zero total", text -> text.replace("\"chunksZero\":1", "\"chunksZero\":0"), "totals.chunksZero"),
                change(
                        "stored more than there is",
                        text -> text.replace("\"storedBytes\":4198400", "\"storedBytes\":8392705"),
                        "totals.storedBytes"),
                change(
                        "other totals than reported",
                        text -> text.replace("\"storedBytes\":4198400", "\"storedBytes\":1"),
                        "not those reported"));
    }

    private static String area(int taskId, String address, int sizeBytes) {
        return "\"areas\":[{\"taskId\":%d,\"address\":\"%s\",\"sizeBytes\":%d,\"runs\":[1],\"chunks\":[{\"digest\":\"%s\",\"sizeBytes\":4096}]}]"
                .formatted(taskId, address, sizeBytes, "cd".repeat(32));
    }

    private static Arguments change(String what, UnaryOperator<String> change, String message) {
        return Arguments.of(what, change, message);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("wrong")
    void whatIsWrongIsRefusedAndNamed(String what, UnaryOperator<String> change, String message) {
        TestManifest wrong = good.but(change);
        assertThat(wrong.text()).isNotEqualTo(good.text());

        assertThatThrownBy(() -> check(wrong))
                .isInstanceOf(ManifestCheck.Refused.class)
                .hasMessageContaining(message);
    }
}
