package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.engine.ScrubOutcome.Finding;
import io.gpusnap.node.engine.ScrubOutcome.Unread;
import io.gpusnap.node.engine.ScrubOutcome.Verdict;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ManifestDigest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.key.KeyRing;
import io.gpusnap.node.tier.key.ManifestSigner;
import io.gpusnap.node.tier.pack.Compression;
import io.gpusnap.node.transfer.StoredSnapshot;
import io.gpusnap.node.transfer.Traffic;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node that cannot open a copy, or does not trust who signed it, says so: the copy may be as good as ever. */
class ScrubKeysTest {

    private static final String KEY = "0123456789abcdef".repeat(4);

    @TempDir
    Path folder;

    private final SnapshotId snapshot = SnapshotId.random();
    private KeyPair signing;
    private String digest = "";

    @BeforeEach
    void givenASealedAndSignedCopyInASharedStore() throws Exception {
        TestNatives.require();
        Files.createDirectory(folder.resolve("share"));
        signing = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        try (SnapshotStore store = StoredSnapshot.open(folder.resolve("first"), 16 << 20)) {
            digest = ManifestDigest.of(
                            StoredSnapshot.make(store, snapshot, 3, 100_000).manifest())
                    .hex();
        }
        try (TestNode node = TestNode.open(folder.resolve("first"), owner())) {
            node.transfer(snapshot, "nfs", StageListener.NONE).succeeded();
        }
    }

    @AfterEach
    void cleanUp() throws Exception {
        TestNode.cleanUp(folder.resolve("first"));
        TestNode.cleanUp(folder.resolve("second"));
    }

    private SharedTiers owner() throws Exception {
        return shared("tenant-a", Optional.of(KEY), Optional.of(signing), Optional.of(signing));
    }

    private SharedTiers shared(
            String tenant, Optional<String> key, Optional<KeyPair> signs, Optional<KeyPair> trusted) {
        return new SharedTiers(
                Optional.of(SharedPlace.nfs(folder.resolve("share"))),
                Optional.empty(),
                0,
                new TierKeys(
                        tenant,
                        Compression.OFF,
                        key.map(KeyRing::ofHex),
                        ManifestSigner.of(
                                tenant,
                                signs.map(
                                        pair -> pem("PRIVATE", pair.getPrivate().getEncoded())),
                                trusted.map(
                                        pair -> pem("PUBLIC", pair.getPublic().getEncoded())))));
    }

    private static String pem(String kind, byte[] encoded) {
        return "-----BEGIN %s KEY-----\n%s\n-----END %s KEY-----\n"
                .formatted(kind, Base64.getMimeEncoder().encodeToString(encoded), kind);
    }

    private Finding scrubbedBy(SharedTiers node) throws Exception {
        try (TestNode scrubbing = TestNode.open(folder.resolve("second"), node)) {
            return scrubbing
                    .scrub(new ScrubRequest(
                            TierRef.named("nfs"),
                            List.of(new ScrubRequest.Subject(snapshot, digest)),
                            1L << 40,
                            Traffic.Priority.BACKGROUND))
                    .succeeded()
                    .fact(ScrubOutcome.class)
                    .findings()
                    .getFirst();
        }
    }

    private void assertUnread(Unread why, SharedTiers node) throws Exception {
        assertThat(scrubbedBy(node)).satisfies(finding -> {
            assertThat(finding.verdict()).isEqualTo(Verdict.UNREADABLE);
            assertThat(finding.unread()).contains(why);
        });
        assertThat(folder.resolve("share/quarantine"))
                .satisfiesAnyOf(
                        none -> assertThat(none).doesNotExist(),
                        empty -> assertThat(empty).isEmptyDirectory());
        assertThat(scrubbedBy(owner()).verdict()).isEqualTo(Verdict.GOOD);
    }

    @Test
    void aNodeOfAnotherTenantHasNoKeyForIt() throws Exception {
        assertUnread(Unread.NO_KEY, shared("tenant-b", Optional.of(KEY), Optional.empty(), Optional.empty()));
    }

    @Test
    void aNodeWithoutKeysHasNoKeyForIt() throws Exception {
        assertUnread(Unread.NO_KEY, shared("tenant-a", Optional.empty(), Optional.empty(), Optional.empty()));
    }

    @Test
    void aNodeWhoseKeyHasWrappedNothingThereHasNoKeyForIt() throws Exception {
        assertUnread(
                Unread.NO_KEY, shared("tenant-a", Optional.of("f".repeat(64)), Optional.empty(), Optional.empty()));
    }

    @Test
    void aNodeThatDoesNotTrustTheSignerSaysThat() throws Exception {
        KeyPair other = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        assertUnread(
                Unread.UNTRUSTED_SIGNER, shared("tenant-a", Optional.of(KEY), Optional.empty(), Optional.of(other)));
    }

    @Test
    void anotherManifestThanTheOneThatIsMeantIsCorruptForEverybody() throws Exception {
        // given a manifest with a flipped bit
        flipManifest();
        KeyPair other = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        // when, then
        assertThat(scrubbedBy(shared("tenant-a", Optional.of(KEY), Optional.empty(), Optional.of(other)))
                        .verdict())
                .isEqualTo(Verdict.CORRUPT);
    }

    @Test
    void whoCannotReadItNamesNoCopyAsDamaged() throws Exception {
        KeyPair other = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        for (SharedTiers stranger : List.of(
                shared("tenant-b", Optional.of(KEY), Optional.empty(), Optional.empty()),
                shared("tenant-a", Optional.of(KEY), Optional.empty(), Optional.of(other)))) {
            try (TestNode node = TestNode.open(folder.resolve("second"), stranger)) {
                // when it is to verify it, or to bring it
                TestNode.Ended verified = node.verify(snapshot);
                TestNode.Ended pulled = node.transfer(snapshot, "nvme", StageListener.NONE);
                // then
                assertThat(verified.failed().code()).isIn(FailureCode.KEY_MISSING, FailureCode.SIGNER_UNTRUSTED);
                assertThat(pulled.failed().code()).isIn(FailureCode.KEY_MISSING, FailureCode.SIGNER_UNTRUSTED);
                assertThat(verified.log().recall(DamagedCopies.class)).isEmpty();
                assertThat(pulled.log().recall(DamagedCopies.class)).isEmpty();
            }
        }
    }

    private void flipManifest() throws Exception {
        try (Stream<Path> files = Files.walk(folder.resolve("share/snapshots"))) {
            Path manifest = files.filter(file -> file.toString().endsWith(".json"))
                    .findFirst()
                    .orElseThrow();
            byte[] bytes = Files.readAllBytes(manifest);
            bytes[bytes.length / 2] ^= 1;
            Files.write(manifest, bytes);
        }
    }
}
