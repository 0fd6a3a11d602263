package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.key.KeyRing;
import io.gpusnap.node.tier.key.ManifestSigner;
import io.gpusnap.node.tier.pack.Compression;
import io.gpusnap.node.transfer.StoredSnapshot;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Snapshots that leave in an archive and come back: byte for byte, or not at all. */
class ArchiveTest {

    private static final int CHUNK_BYTES = 100 << 10;
    private static final int CHUNKS = 30;
    private static final JsonMapper JSON = new JsonMapper();

    @TempDir
    Path folder;

    private SnapshotId snapshot;
    private StoredSnapshot stored;

    @BeforeEach
    void storeASnapshot() throws Exception {
        TestNatives.require();
        snapshot = SnapshotId.random();
        try (SnapshotStore store = StoredSnapshot.open(folder.resolve("first"), 16 << 20)) {
            stored = StoredSnapshot.make(store, snapshot, CHUNKS, CHUNK_BYTES);
        }
    }

    @AfterEach
    void cleanUp() throws Exception {
        TestNode.cleanUp(folder.resolve("first"));
        TestNode.cleanUp(folder.resolve("second"));
    }

    private TestNode first() throws Exception {
        return TestNode.open(folder.resolve("first"));
    }

    private TestNode second() throws Exception {
        return TestNode.open(folder.resolve("second"));
    }

    private Path exported(String name) throws Exception {
        Path archive = folder.resolve(name);
        try (TestNode node = first()) {
            node.export(snapshot, archive, false, StageListener.NONE).succeeded();
        }
        return archive;
    }

    private static Map<String, byte[]> files(Path root) throws IOException {
        Map<String, byte[]> files = new HashMap<>();
        try (Stream<Path> all = Files.walk(root)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                files.put(root.relativize(file).toString(), Files.readAllBytes(file));
            }
        }
        return files;
    }

    private static String sha256(byte[] content) throws Exception {
        return "sha256:"
                + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    }

    /** What a reader of OCI layouts does: every descriptor by digest and size, from the index on. */
    private static byte[] blob(Map<String, byte[]> files, JsonNode descriptor) throws Exception {
        String digest = descriptor.get("digest").asString();
        byte[] content = files.get("blobs/sha256/" + digest.substring("sha256:".length()));
        assertThat(content).as(digest).isNotNull();
        assertThat(sha256(content)).isEqualTo(digest);
        assertThat((long) content.length).isEqualTo(descriptor.get("size").asLong());
        return content;
    }

    private void assertIsWholeIn(Path node) throws Exception {
        Map<String, byte[]> had = files(folder.resolve("first/nvme/chunks"));
        assertThat(files(node.resolve("nvme/chunks")))
                .hasSameSizeAs(had)
                .allSatisfy((name, bytes) -> assertThat(bytes).isEqualTo(had.get(name)));
        assertThat(node.resolve("nvme/manifests/" + snapshot + ".json")).hasBinaryContent(stored.manifest());
        assertThat(node.resolve("nvme/pending")).isEmptyDirectory();
    }

    private void assertNothingIsIn(Path node) throws Exception {
        assertThat(node.resolve("nvme/manifests")).isEmptyDirectory();
        assertThat(node.resolve("nvme/pending")).isEmptyDirectory();
        assertThat(files(node.resolve("nvme/chunks"))).isEmpty();
    }

    @Test
    void theArchiveIsAnOciImageLayoutOfWhichEveryDescriptorIsRight() throws Exception {
        // given more than a layer has room for
        int chunks = 18;
        int chunkBytes = 4 << 20;
        snapshot = SnapshotId.random();
        try (SnapshotStore store = StoredSnapshot.open(folder.resolve("first"), 16 << 20)) {
            stored = StoredSnapshot.make(store, snapshot, chunks, chunkBytes);
        }
        // when
        Map<String, byte[]> files = files(exported("layout"));
        // then

        assertThat(JSON.readTree(files.get("oci-layout"))
                        .get("imageLayoutVersion")
                        .asString())
                .isEqualTo("1.0.0");
        JsonNode index = JSON.readTree(files.get("index.json"));
        assertThat(index.get("schemaVersion").asInt()).isEqualTo(2);
        assertThat(index.get("mediaType").asString()).isEqualTo("application/vnd.oci.image.index.v1+json");
        assertThat(index.get("manifests").size()).isEqualTo(1);
        JsonNode root = index.get("manifests").get(0);
        assertThat(root.get("mediaType").asString()).isEqualTo("application/vnd.oci.image.manifest.v1+json");
        assertThat(root.get("artifactType").asString()).isEqualTo("application/vnd.gpusnap.snapshot.v1");
        assertThat(root.get("annotations")
                        .get("org.opencontainers.image.ref.name")
                        .asString())
                .isEqualTo(snapshot.toString());

        JsonNode image = JSON.readTree(blob(files, root));
        assertThat(image.get("schemaVersion").asInt()).isEqualTo(2);
        assertThat(image.get("mediaType").asString())
                .isEqualTo(root.get("mediaType").asString());
        assertThat(image.get("artifactType").asString()).isEqualTo("application/vnd.gpusnap.snapshot.v1");
        assertThat(blob(files, image.get("config"))).isEqualTo(stored.manifest());
        List<String> blobs = new ArrayList<>();
        long bytes = 0;
        for (JsonNode layer : image.get("layers")) {
            assertThat(layer.get("mediaType").asString()).isEqualTo("application/vnd.gpusnap.chunks.v1");
            bytes += blob(files, layer).length;
            blobs.add(layer.get("digest").asString());
        }
        // and layers are packs, not chunks; nothing else is in it
        assertThat(bytes).isEqualTo((long) chunks * chunkBytes);
        assertThat(blobs).hasSize(2);
        assertThat(files).hasSize(2 + 2 + blobs.size());
    }

    @Test
    void aTarHasTheSameFilesAndOtherToolsReadIt() throws Exception {
        Path layout = exported("layout");
        Path tar = exported("layout.tar");
        Path unpacked = Files.createDirectories(folder.resolve("unpacked"));
        Process tool = new ProcessBuilder("tar", "-xf", tar.toString(), "-C", unpacked.toString())
                .inheritIO()
                .start();
        assertThat(tool.waitFor()).isZero();
        Map<String, byte[]> expected = files(layout);
        assertThat(files(unpacked))
                .hasSameSizeAs(expected)
                .allSatisfy((name, bytes) -> assertThat(bytes).isEqualTo(expected.get(name)));
        // and nobody else may read it: it is the memory of a process
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(tar)))
                .isEqualTo("rw-------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(layout)))
                .isEqualTo("rwx------");
    }

    @ParameterizedTest
    @ValueSource(strings = {"layout", "layout.tar"})
    void anEmptyNodeHasTheSnapshotByteForByteAfterwards(String name) throws Exception {
        Path archive = exported(name);
        try (TestNode node = second()) {
            TransferOutcome brought = node.bringIn(archive).succeeded().fact(TransferOutcome.class);
            assertThat(brought.storedBytes()).isEqualTo((long) CHUNKS * CHUNK_BYTES);
            node.verify(snapshot).succeeded();
            assertIsWholeIn(folder.resolve("second"));
            // when it comes again
            assertThat(node.bringIn(archive)
                            .succeeded()
                            .fact(TransferOutcome.class)
                            .storedBytes())
                    .isZero();
            assertIsWholeIn(folder.resolve("second"));
        }
    }

    @Test
    void whatOtherToolsHavePackedAnewIsReadAsWell() throws Exception {
        Path layout = exported("layout");
        Path tar = folder.resolve("again.tar");
        assertThat(new ProcessBuilder("tar", "--format=pax", "-cf", tar.toString(), "-C", layout.toString(), ".")
                        .inheritIO()
                        .start()
                        .waitFor())
                .isZero();
        try (TestNode node = second()) {
            node.bringIn(tar).succeeded();
            assertIsWholeIn(folder.resolve("second"));
        }
    }

    @Test
    void chunksThatAreThereAreSharedAndOneThatIsSpoiltIsMended() throws Exception {
        Path archive = exported("layout");
        SnapshotId other = SnapshotId.random();
        try (SnapshotStore store = StoredSnapshot.open(folder.resolve("second"), 16 << 20)) {
            StoredSnapshot.make(store, other, CHUNKS - 2, CHUNK_BYTES);
        }
        Path spoilt;
        try (Stream<Path> chunks = Files.walk(folder.resolve("second/nvme/chunks"))) {
            spoilt = chunks.filter(Files::isRegularFile).findFirst().orElseThrow();
        }
        flip(spoilt, 12345);
        try (TestNode node = second()) {
            assertThat(node.bringIn(archive)
                            .succeeded()
                            .fact(TransferOutcome.class)
                            .storedBytes())
                    .isEqualTo(3L * CHUNK_BYTES);
            node.verify(snapshot).succeeded();
            node.verify(other).succeeded();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {5_000, 2_900_000})
    void aBitThatFlippedInALayerLeavesNothing(long at) throws Exception {
        Path archive = exported("layout.tar");
        flip(archive, at);
        try (TestNode node = second()) {
            assertThat(node.bringIn(archive).failed().code()).isEqualTo(FailureCode.CHUNK_CORRUPT);
            assertNothingIsIn(folder.resolve("second"));
        }
    }

    @Test
    void whatIsNotWholeIsRefusedBeforeAnythingIsTouched() throws Exception {
        Path layout = exported("layout");
        Path tar = exported("layout.tar");
        try (var file = new RandomAccessFile(tar.toFile(), "rw")) {
            file.setLength(file.length() / 2);
        }
        assertRefused(tar, FailureCode.CHUNK_MISSING, "was cut off");
        Path layer = largest(layout);
        byte[] content = Files.readAllBytes(layer);
        Files.write(layer, java.util.Arrays.copyOf(content, content.length - 1));
        assertRefused(layout, FailureCode.CHUNK_CORRUPT, "bytes, not");
        Files.delete(layer);
        assertRefused(layout, FailureCode.CHUNK_MISSING, "has no blobs/sha256/");
        // a link in its place is no file of the archive
        Path outside = Files.write(folder.resolve("outside"), content);
        Files.createSymbolicLink(layer, outside);
        assertRefused(layout, FailureCode.CHUNK_MISSING, "has no blobs/sha256/");
    }

    @Test
    void whatIsNoArchiveOfASnapshotIsSaid() throws Exception {
        Path text = Files.writeString(folder.resolve("text.tar"), "no tar at all, but longer than a header".repeat(30));
        assertRefused(text, FailureCode.MANIFEST_INVALID, "no tar");
        assertRefused(Files.createDirectories(folder.resolve("empty")), FailureCode.MANIFEST_INVALID, "oci-layout");
        Path layout = exported("layout");
        String index = Files.readString(layout.resolve("index.json"));
        Files.writeString(layout.resolve("index.json"), index.replace("vnd.gpusnap.snapshot", "vnd.other.thing"));
        assertRefused(layout, FailureCode.MANIFEST_INVALID, "no archive of one snapshot");
        Files.writeString(layout.resolve("index.json"), index.replace("sha256:", "sha256:../../"));
        assertRefused(layout, FailureCode.MANIFEST_INVALID, "only sha256 is read");
        Files.writeString(layout.resolve("index.json"), "[".repeat(100_000));
        assertRefused(layout, FailureCode.MANIFEST_INVALID, "index.json cannot be read");
        Files.writeString(layout.resolve("index.json"), index);
        Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"2.0.0\"}");
        assertRefused(layout, FailureCode.MANIFEST_INVALID, "2.0.0");
    }

    /** An entry that a tool which unpacks might fall for, added to an archive that is whole. */
    enum Hostile {
        SYMBOLIC_LINK('2', "extra", "/etc/passwd", "neither a file nor a folder"),
        HARD_LINK('1', "extra", "index.json", "neither a file nor a folder"),
        LINK_IN_A_FOLDERS_PLACE('2', "blobs", "..", "neither a file nor a folder"),
        CHARACTER_DEVICE('3', "extra", "", "neither a file nor a folder"),
        BLOCK_DEVICE('4', "extra", "", "neither a file nor a folder"),
        PIPE('6', "extra", "", "neither a file nor a folder"),
        UNKNOWN('S', "extra", "", "neither a file nor a folder"),
        ABOVE('0', "../evil", "", "not below it"),
        ABOVE_LATER('0', "blobs/../../evil", "", "not below it"),
        ABOVE_AFTER_A_DOT('0', "./../evil", "", "not below it"),
        AT_THE_END('0', "blobs/..", "", "not below it"),
        FOLDER_ABOVE('5', "../evil/", "", "not below it"),
        ABSOLUTE('0', "/tmp/evil", "", "not below it"),
        ABSOLUTE_AFTER_A_DOT('0', ".//tmp/evil", "", "not below it"),
        AGAIN('0', "index.json", "", "two entries index.json"),
        AGAIN_AFTER_A_DOT('0', "./index.json", "", "two entries index.json"),
        LONG_NAME('L', "././@LongLink", "", "too long");

        private final char type;
        private final String name;
        private final String link;
        private final String refusal;

        Hostile(char type, String name, String link, String refusal) {
            this.type = type;
            this.name = name;
            this.link = link;
            this.refusal = refusal;
        }
    }

    @Test
    void aTarWithAnEntryThatLeadsElsewhereIsRefusedAndNothingIsWritten() throws Exception {
        Path tar = exported("hostile.tar");
        ArchiveInfo info = Archives.look(tar);
        byte[] whole = Files.readAllBytes(tar);
        try (TestNode node = second()) {
            Set<String> before = names();
            for (Hostile entry : Hostile.values()) {
                byte[] header = TestTar.header(entry.type, entry.name, entry.link, 0);
                for (byte[] hostile : List.of(TestTar.before(whole, header), TestTar.after(whole, header))) {
                    Files.write(tar, hostile);
                    // when somebody looks, and when a daemon is given it that somebody has looked at before
                    assertRefused(tar, FailureCode.MANIFEST_INVALID, entry.refusal);
                    assertThat(node.bringIn(tar, info, StageListener.NONE)
                                    .failed()
                                    .code())
                            .as(entry.name())
                            .isEqualTo(FailureCode.MANIFEST_INVALID);
                }
            }
            // then
            assertNothingIsIn(folder.resolve("second"));
            assertThat(names()).isEqualTo(before);
            assertThat(folder.resolveSibling("evil")).doesNotExist();
            assertThat(Path.of("/tmp/evil")).doesNotExist();
            // and it was the entry that was refused
            Files.write(tar, whole);
            node.bringIn(tar, info, StageListener.NONE).succeeded();
        }
    }

    @Test
    void aTarWhoseEntriesClaimMoreThanThereIsIsRefused() throws Exception {
        Path tar = exported("hostile.tar");
        byte[] whole = Files.readAllBytes(tar);
        // more than the file has, up to the most that a header can say
        for (long size : new long[] {whole.length + 1L, (1L << 33) - 1}) {
            Files.write(tar, TestTar.before(whole, TestTar.header('0', "extra", "", size)));
            assertRefused(tar, FailureCode.CHUNK_MISSING, "was cut off");
        }
        // more than is read of a document, though it is there
        Path layout = exported("layout");
        Files.write(layout.resolve("index.json"), " ".repeat(17 << 20).getBytes(StandardCharsets.US_ASCII));
        assertRefused(layout, FailureCode.CHUNK_CORRUPT, "at most");
        // a number in another form, as tools write it from 8 GiB on, or a negative one
        byte[] binary = TestTar.header('0', "extra", "", 0);
        for (int first : new int[] {0x80, 0xff}) {
            java.util.Arrays.fill(binary, 124, 136, (byte) 0xff);
            binary[124] = (byte) first;
            Files.write(tar, TestTar.before(whole, TestTar.summed(binary)));
            assertRefused(tar, FailureCode.MANIFEST_INVALID, "a number in a header");
        }
        // and an extended header that no memory should be given to
        Files.write(tar, TestTar.before(whole, TestTar.header('x', "extra", "", 1L << 32)));
        assertRefused(tar, FailureCode.MANIFEST_INVALID, "extended header of");
    }

    @Test
    void anExtendedHeaderRenamesAndResizesNothing() throws Exception {
        Path tar = exported("hostile.tar");
        byte[] whole = Files.readAllBytes(tar);
        for (String record : List.of("path=../evil", "size=99", "GNU.sparse.name=evil")) {
            String line = "%d %s\n".formatted(record.length() + 4, record);
            byte[] text = java.util.Arrays.copyOf(line.getBytes(StandardCharsets.US_ASCII), 512);
            byte[] extension = TestTar.after(TestTar.header('x', "extra", "", line.length()), text);
            Files.write(tar, TestTar.before(whole, extension));
            assertRefused(tar, FailureCode.MANIFEST_INVALID, "in an extended header");
        }
    }

    @Test
    void aFolderOfALayoutThatIsALinkIsRefused() throws Exception {
        Path layout = exported("layout");
        for (String linked : List.of("blobs/sha256", "blobs")) {
            Path outside = folder.resolve("outside-" + linked.replace('/', '-'));
            Files.move(layout.resolve(linked), outside);
            Files.createSymbolicLink(layout.resolve(linked), outside);
            assertRefused(layout, FailureCode.MANIFEST_INVALID, "is a symbolic link");
            Files.delete(layout.resolve(linked));
            Files.move(outside, layout.resolve(linked));
        }
        assertThat(Archives.look(layout).snapshot()).isEqualTo(snapshot);
    }

    /** Of all files beside the daemon's journal. */
    private Set<String> names() throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.map(file -> folder.relativize(file).toString())
                    .filter(name -> !name.startsWith("second/") || name.startsWith("second/nvme/"))
                    .collect(Collectors.toSet());
        }
    }

    private static void assertRefused(Path archive, FailureCode code, String text) {
        assertThatExceptionOfType(StageException.class)
                .isThrownBy(() -> Archives.look(archive))
                .withMessageContaining(text)
                .satisfies(e -> assertThat(e.code()).isEqualTo(code));
    }

    @Test
    void anotherSnapshotOfThatNameStays() throws Exception {
        Path archive = exported("layout.tar");
        try (SnapshotStore store = StoredSnapshot.open(folder.resolve("second"), 16 << 20)) {
            StoredSnapshot.make(store, snapshot, 2, 4096);
        }
        try (TestNode node = second()) {
            assertThat(node.bringIn(archive).failed().code()).isEqualTo(FailureCode.CONFLICT);
            node.verify(snapshot).succeeded();
        }
    }

    @Test
    void nothingIsWrittenOverAndACancelledExportLeavesNothing() throws Exception {
        Path taken = Files.writeString(folder.resolve("taken.tar"), "precious");
        try (TestNode node = first()) {
            assertThat(node.export(snapshot, taken, false, StageListener.NONE)
                            .failed()
                            .code())
                    .isEqualTo(FailureCode.CONFLICT);
            assertThat(taken).hasContent("precious");
            Files.delete(taken);
            // when a disk error stops it: a chunk is gone
            Path lost = largest(folder.resolve("first/nvme/chunks"));
            Files.delete(lost);
            assertThat(node.export(snapshot, taken, false, StageListener.NONE)
                            .failed()
                            .code())
                    .isEqualTo(FailureCode.CHUNK_MISSING);
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left.map(Path::getFileName).map(Path::toString)).containsExactlyInAnyOrder("first");
        }
    }

    @ParameterizedTest
    @CsvSource({"copy, RETURNED", "commit, RETURNED"})
    void whoDiesInAnImportLeavesNothingOrTheWholeSnapshot(String stage, StagePoint point) throws Exception {
        Path archive = exported("layout.tar");
        Files.createDirectories(folder.resolve("second"));
        DoomedDaemon.live(folder.resolve("second"), stage, point, "import", archive.toString());
        try (TestNode node = second()) {
            TestNode.Ended ended = node.recover();
            if (stage.equals("copy")) {
                assertThat(ended.failed().code()).isEqualTo(FailureCode.DAEMON_RESTARTED);
                assertNothingIsIn(folder.resolve("second"));
                node.bringIn(archive).succeeded();
            }
            assertIsWholeIn(folder.resolve("second"));
        }
    }

    @Test
    void whoDiesInAnExportLeavesNothingOnceTheNextOneHasCleanedUp() throws Exception {
        Path archive = folder.resolve("layout");
        DoomedDaemon.live(
                folder.resolve("first"),
                "export",
                StagePoint.INSIDE,
                "export",
                snapshot.toString(),
                archive.toString());
        assertThat(archive).doesNotExist();
        try (TestNode node = first()) {
            assertThat(node.recover().failed().code()).isEqualTo(FailureCode.DAEMON_RESTARTED);
            try (Stream<Path> left = Files.list(folder)) {
                assertThat(left.map(Path::getFileName).map(Path::toString)).containsExactly("first");
            }
        }
    }

    @Test
    void aFullDiskEndsAnExportAndLeavesNothing() throws Exception {
        Path disk = Files.createDirectories(folder.resolve("disk"));
        Assumptions.assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk.toString()),
                "a file system of its own takes the right to mount");
        try (TestNode node = first()) {
            for (String name : List.of("layout", "layout.tar")) {
                assertThat(node.export(snapshot, disk.resolve(name), false, StageListener.NONE)
                                .failed()
                                .code())
                        .isEqualTo(FailureCode.INSUFFICIENT_SPACE);
                assertThat(disk).isEmptyDirectory();
            }
        } finally {
            run("umount", disk.toString());
        }
    }

    private static boolean run(String... command) throws Exception {
        return new ProcessBuilder(command).inheritIO().start().waitFor() == 0;
    }

    @Test
    void withAKeyTheArchiveOpensForItsTenantOnly() throws Exception {
        String key = "0123456789abcdef".repeat(4);
        Path archive = folder.resolve("sealed.tar");
        try (TestNode node = TestNode.open(folder.resolve("first"), keys("tenant-a", key, ManifestSigner.none()))) {
            node.export(snapshot, archive, false, StageListener.NONE).succeeded();
        }
        byte[] chunk = Files.readAllBytes(largest(folder.resolve("first/nvme/chunks")));
        String some = new String(chunk, 0, 64, StandardCharsets.ISO_8859_1);
        assertThat(Files.readString(archive, StandardCharsets.ISO_8859_1)).doesNotContain(some);

        for (SharedTiers stranger : List.of(
                SharedTiers.none(),
                keys("tenant-b", key, ManifestSigner.none()),
                keys("tenant-a", "f".repeat(64), ManifestSigner.none()))) {
            try (TestNode node = TestNode.open(folder.resolve("second"), stranger)) {
                assertThat(node.bringIn(archive).failed().code()).isEqualTo(FailureCode.KEY_MISSING);
                assertNothingIsIn(folder.resolve("second"));
            }
        }
        // a new key that has the old one beside it reads it
        try (TestNode node = TestNode.open(
                folder.resolve("second"), keys("tenant-a", "f".repeat(64) + "\n" + key, ManifestSigner.none()))) {
            node.bringIn(archive).succeeded();
            assertIsWholeIn(folder.resolve("second"));
        }
    }

    @Test
    void aNodeThatAsksForSignaturesTakesOnlyASignedArchive() throws Exception {
        KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        Path unsigned = exported("unsigned.tar");
        Path signed = folder.resolve("signed.tar");
        try (TestNode node = TestNode.open(folder.resolve("first"), signing(Optional.of(pair), Optional.empty()))) {
            node.export(snapshot, signed, false, StageListener.NONE).succeeded();
        }
        try (TestNode node = TestNode.open(folder.resolve("second"), signing(Optional.empty(), Optional.of(pair)))) {
            assertThat(node.bringIn(unsigned).failed().code()).isEqualTo(FailureCode.SIGNER_UNTRUSTED);
            assertNothingIsIn(folder.resolve("second"));
            node.bringIn(signed).succeeded();
            assertIsWholeIn(folder.resolve("second"));
        }
    }

    private static SharedTiers keys(String tenant, String key, ManifestSigner signer) {
        return new SharedTiers(
                Optional.empty(),
                Optional.empty(),
                0,
                new TierKeys(tenant, Compression.OFF, Optional.of(KeyRing.ofHex(key)), signer));
    }

    private static SharedTiers signing(Optional<KeyPair> own, Optional<KeyPair> trusted) {
        return new SharedTiers(
                Optional.empty(),
                Optional.empty(),
                0,
                new TierKeys(
                        "default",
                        Compression.OFF,
                        Optional.empty(),
                        ManifestSigner.of(
                                "default",
                                own.map(pair -> pem("PRIVATE", pair.getPrivate().getEncoded())),
                                trusted.map(
                                        pair -> pem("PUBLIC", pair.getPublic().getEncoded())))));
    }

    private static String pem(String kind, byte[] encoded) {
        return "-----BEGIN %s KEY-----\n%s\n-----END %s KEY-----\n"
                .formatted(kind, Base64.getMimeEncoder().encodeToString(encoded), kind);
    }

    private static Path largest(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            return files.filter(Files::isRegularFile)
                    .max(java.util.Comparator.comparingLong(
                            file -> file.toFile().length()))
                    .orElseThrow();
        }
    }

    private static void flip(Path file, long at) throws IOException {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(at);
            int one = bytes.read();
            bytes.seek(at);
            bytes.write(one ^ 1);
        }
    }
}
