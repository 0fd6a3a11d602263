package io.gpusnap.node.tier.key;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Data keys that a key management service wraps. */
class VaultKeyTest {

    private static final String CONTEXT = "gpusnap data key of tenant-a in here";
    private static final UUID STORE = UUID.randomUUID();
    private static final Duration PATIENT = Duration.ofSeconds(30);

    private final byte[] dataKey = new byte[32];
    private final Folder folder = new Folder();
    private TransitServer server;
    private String token = TransitServer.TOKEN;

    @BeforeEach
    void givenAServer() throws IOException {
        server = new TransitServer();
        new Random(1).nextBytes(dataKey);
    }

    @AfterEach
    void close() {
        server.close();
    }

    /** A folder in memory. */
    private static final class Folder implements KeyFolder {
        private final Map<ChunkDigest, byte[]> keys = new HashMap<>();

        @Override
        public Optional<byte[]> find(ChunkDigest name) {
            return Optional.ofNullable(keys.get(name));
        }

        @Override
        public void putIfAbsent(ChunkDigest name, byte[] content) {
            keys.putIfAbsent(name, content);
        }

        @Override
        public void replace(ChunkDigest name, byte[] content) {
            keys.put(name, content);
        }

        @Override
        public String location() {
            return "memory";
        }
    }

    private VaultKey key() {
        return key("gpusnap", PATIENT);
    }

    private VaultKey key(String name, Duration deadline) {
        return new VaultKey(new VaultKey.Settings(server.address(), "transit", name, deadline), () -> token);
    }

    private TenantKeys keys(KeyProvider provider) {
        return new TenantKeys(folder, provider, "tenant-a");
    }

    @Test
    void whatItWrappedItUnwrapsForTheSameContextOnly() throws Exception {
        VaultKey key = key();
        byte[] wrapped = key.wrap(dataKey, CONTEXT);
        assertThat(wrapped).startsWith("vault:v1:".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        assertThat(key.unwrap(wrapped, key.keyId(), CONTEXT)).isEqualTo(dataKey);
        assertFails(Reason.IO, "authentication failed", () -> key.unwrap(wrapped, key.keyId(), "another"));
        assertFails(
                Reason.NO_KEY,
                "wrapped by key vault:transit/other",
                () -> key.unwrap(wrapped, "vault:transit/other", CONTEXT));
    }

    @Test
    void aDataKeyIsAskedForOnceAndAServiceThatIsAwayLaterIsNotMissed() throws Exception {
        byte[] content = "a chunk".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        ChunkDigest digest = ChunkDigest.of(new byte[32]);
        ByteBuffer sealed = ByteBuffer.allocate(content.length + DataKey.OVERHEAD_BYTES);
        keys(key()).current(STORE, numbers -> false).seal(digest, 0, ByteBuffer.wrap(content), sealed);
        // given another node
        TenantKeys keys = keys(key());
        keys.of("tenant-a", STORE);
        int asked = server.requests().size();
        // when
        server.close();
        ByteBuffer opened = ByteBuffer.allocate(content.length);
        keys.of("tenant-a", STORE).open(digest, 0, sealed.flip(), opened);
        // then
        assertThat(opened.array()).isEqualTo(content);
        assertThat(server.requests()).hasSize(asked).endsWith("/v1/transit/decrypt/gpusnap");
    }

    @Test
    void keysOfAFileAreWrappedAnewByTheService() throws Exception {
        // given a data key that a key of a file has wrapped
        KeyRing file = KeyRing.ofHex("0123456789abcdef".repeat(4));
        keys(file).current(STORE, numbers -> false);
        // when both are there, the service first
        KeyRing both = KeyRing.of(key(), file);
        assertThat(both.keyIds()).containsExactly("vault:transit/gpusnap", file.keyId());
        assertThat(keys(both).rewrap(STORE, (done, all) -> {})).isEqualTo(1);
        // then the file's is not needed any more
        assertThat(keys(key()).list())
                .singleElement()
                .satisfies(listed -> assertThat(listed.keyId()).isEqualTo("vault:transit/gpusnap"));
        keys(key()).current(STORE, numbers -> false);
        assertFails(
                Reason.NO_KEY,
                "was wrapped by key vault:transit/gpusnap",
                () -> keys(file).current(STORE, numbers -> false));
    }

    /** As key management services name their keys. */
    @Test
    void anIdOfAKeyMayBeAnyWordOfVisibleLetters() throws Exception {
        for (String id : List.of(
                "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
                "projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
                "https://vault.example.org/keys/k/0123456789abcdef?api-version=7.4",
                "x".repeat(2048))) {
            Folder own = new Folder();
            KeyProvider provider = new Named(id);
            new TenantKeys(own, provider, "tenant-a").current(STORE, numbers -> false);
            assertThat(new TenantKeys(own, provider, "tenant-a").list())
                    .singleElement()
                    .satisfies(listed -> assertThat(listed.keyId()).isEqualTo(id));
            new TenantKeys(own, provider, "tenant-a").of(0, STORE);
        }
        for (String id : List.of("", "two words", "a\"b", "a\\b", "a\nb", "ü", "x".repeat(2049))) {
            assertFails(Reason.IO, "id of a key", () -> keys(new Named(id)).current(STORE, numbers -> false));
            assertThat(folder.keys).isEmpty();
        }
    }

    /** A key of this process under another's name. */
    private record Named(String keyId) implements KeyProvider {
        private static final MasterKey KEY = MasterKey.ofHex("f".repeat(64));

        @Override
        public byte[] wrap(byte[] dataKey, String context) throws TierException {
            return KEY.wrap(dataKey, context);
        }

        @Override
        public byte[] unwrap(byte[] wrapped, String wrappedBy, String context) throws TierException {
            return KEY.unwrap(wrapped, KEY.keyId(), context);
        }
    }

    @Test
    void whatPassesIsTriedAgainAFewTimes() throws Exception {
        server.fails(TransitServer.status(503), TransitServer.status(429));
        byte[] wrapped = key().wrap(dataKey, CONTEXT);
        assertThat(server.requests()).hasSize(3);
        assertThat(key().unwrap(wrapped, key().keyId(), CONTEXT)).isEqualTo(dataKey);

        server.fails(TransitServer.status(500), TransitServer.status(503), TransitServer.status(503));
        assertFails(Reason.UNAVAILABLE, "answers 503", () -> key().wrap(dataKey, CONTEXT));
    }

    @Test
    void whatDoesNotPassIsNotTriedAgain() {
        token = "s.stolen";
        assertFails(Reason.NO_KEY, "permission denied", () -> key().wrap(dataKey, CONTEXT));
        token = TransitServer.TOKEN;
        assertFails(Reason.NO_KEY, "vault.key", () -> key("nowhere", PATIENT).wrap(dataKey, CONTEXT));
        assertThat(server.requests()).hasSize(2);
    }

    @Test
    void aServiceThatSaysNothingOrStopsInTheMiddleIsNotWaitedForForEver() {
        VaultKey hasty = key("gpusnap", Duration.ofMillis(300));
        server.fails(server.silence(), server.silence(), server.silence());
        assertFails(Reason.UNAVAILABLE, "does not answer", () -> hasty.wrap(dataKey, CONTEXT));
        server.fails(server.stall(), server.stall(), server.stall());
        assertFails(Reason.UNAVAILABLE, "does not answer", () -> hasty.wrap(dataKey, CONTEXT));
        server.close();
        assertFails(Reason.UNAVAILABLE, "cannot be asked", () -> hasty.wrap(dataKey, CONTEXT));
    }

    @Test
    void anAnswerThatIsNoneIsNotBelieved() {
        server.fails(TransitServer.endless(), TransitServer.endless(), TransitServer.endless());
        assertFails(Reason.UNAVAILABLE, "cannot be asked", () -> key().wrap(dataKey, CONTEXT));
        server.fails(TransitServer.raw("no JSON"));
        assertFails(Reason.IO, "no JSON", () -> key().wrap(dataKey, CONTEXT));
        server.fails(TransitServer.raw("{\"data\":{}}"));
        assertFails(Reason.IO, "without ciphertext", () -> key().wrap(dataKey, CONTEXT));
        for (String plain : List.of("c2hvcnQ=", "*")) {
            server.fails(TransitServer.raw("{\"data\":{\"plaintext\":\"" + plain + "\"}}"));
            assertFails(Reason.IO, "no data key", () -> key().unwrap(new byte[] {1}, key().keyId(), CONTEXT));
        }
    }

    @Test
    void theTokenIsNotCarriedElsewhere() throws Exception {
        try (TransitServer other = new TransitServer()) {
            server.fails(TransitServer.redirect(other.address().resolve("/v1/transit/encrypt/gpusnap")));
            assertFails(Reason.IO, "answers 307", () -> key().wrap(dataKey, CONTEXT));
            assertThat(other.requests()).isEmpty();
        }
    }

    @Test
    void theTokenIsTheOneThatThereIsNow() throws Exception {
        VaultKey key = key();
        key.wrap(dataKey, CONTEXT);
        server.takesOnly("s.second");
        token = "s.second";
        key.wrap(dataKey, CONTEXT);
        VaultKey without = new VaultKey(new VaultKey.Settings(server.address(), "transit", "gpusnap", PATIENT), () -> {
            throw new NoSuchFileException("/run/token");
        });
        assertFails(Reason.NO_KEY, "vault.tokenFile", () -> without.wrap(dataKey, CONTEXT));
    }

    private static void assertFails(Reason reason, String text, ThrowingCallable call) {
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(call)
                .withMessageContaining(text)
                .satisfies(e -> assertThat(e.reason()).isEqualTo(reason));
    }
}
