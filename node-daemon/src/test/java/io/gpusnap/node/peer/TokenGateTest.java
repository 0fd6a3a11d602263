package io.gpusnap.node.peer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TokenGateTest {

    private static final Instant NOW = Instant.parse("2026-11-24T22:00:00Z");
    private static final String CERTIFICATE = "ab".repeat(32);
    private static final UUID SELF = UUID.randomUUID();
    private static final PeerToken GOOD = new PeerToken(
            SELF, UUID.randomUUID(), CERTIFICATE, UUID.randomUUID(), "cd".repeat(32), "default", NOW.plusSeconds(60));

    private final AtomicLong nanos = new AtomicLong();
    private final byte[] key = TestService.randomKey();
    private final TokenGate gate = new TokenGate("default", nanos::get);

    @BeforeEach
    void registered() {
        gate.registered(SELF, key);
        gate.serviceTime(NOW);
    }

    private String why(PeerToken token, String certificate) {
        return gate.judge(token.signed(key), certificate) instanceof TokenGate.Refused refused ? refused.why() : "";
    }

    private static PeerToken with(UnaryOperator<PeerToken> change) {
        return change.apply(GOOD);
    }

    @Test
    void aGoodTokenIsForItsSnapshotAndManifest() {
        assertThat(gate.judge(GOOD.signed(key), CERTIFICATE))
                .isEqualTo(new TokenGate.Allowed(GOOD.snapshotId(), GOOD.manifestDigest()));
    }

    @Test
    void aTokenForAnotherNodeIsRefused() {
        PeerToken other = new PeerToken(
                UUID.randomUUID(),
                GOOD.subject(),
                CERTIFICATE,
                GOOD.snapshotId(),
                GOOD.manifestDigest(),
                "default",
                GOOD.expiresAt());
        assertThat(why(other, CERTIFICATE)).contains("another node");
    }

    @Test
    void aStolenTokenIsRefused() {
        assertThat(why(GOOD, "ef".repeat(32))).contains("another node's");
    }

    @Test
    void aTokenOfAnotherTenantIsRefused() {
        PeerToken other = with(it -> new PeerToken(
                it.audience(),
                it.subject(),
                it.certificate(),
                it.snapshotId(),
                it.manifestDigest(),
                "other",
                it.expiresAt()));
        assertThat(why(other, CERTIFICATE)).contains("tenant");
    }

    @Test
    void aTokenEndsByTheServicesClockWhateverThisNodesClockSays() {
        // when a minute less one second has gone by since the service told the time
        nanos.set(Duration.ofSeconds(59).toNanos());
        assertThat(why(GOOD, CERTIFICATE)).isEmpty();
        // then
        nanos.set(Duration.ofSeconds(60).toNanos());
        assertThat(why(GOOD, CERTIFICATE)).contains("over");
        // and when the service is heard again
        gate.serviceTime(NOW.plusSeconds(30));
        assertThat(why(GOOD, CERTIFICATE)).isEmpty();
    }

    @Test
    void nothingIsTakenBeforeTheServiceWasHeard() {
        TokenGate fresh = new TokenGate("default", nanos::get);
        fresh.registered(SELF, key);
        assertThat(fresh.judge(GOOD.signed(key), CERTIFICATE)).isInstanceOf(TokenGate.Refused.class);
    }

    @Test
    void aTokenOfAnEarlierSessionIsOver() {
        String token = GOOD.signed(key);
        gate.registered(SELF, TestService.randomKey());
        assertThat(gate.judge(token, CERTIFICATE)).isInstanceOf(TokenGate.Refused.class);
    }

    @Test
    void whatIsNoTokenOrWasChangedIsRefused() {
        String token = GOOD.signed(key);
        int middle = token.length() / 2;
        String changed =
                token.substring(0, middle) + (token.charAt(middle) == 'A' ? 'B' : 'A') + token.substring(middle + 1);
        assertThat(new String[] {changed, "", "gpusnap-peer.", "gpusnap-peer..", token + "x", "a.b.c", "x".repeat(9000)
                })
                .allSatisfy(text -> assertThat(gate.judge(text, CERTIFICATE)).isInstanceOf(TokenGate.Refused.class));
    }

    @Test
    void aTokenIsReadAsTheServiceWritesIt() throws Exception {
        // given members in any order, parts of seconds, and one that a later service adds
        UUID snapshot = UUID.randomUUID();
        String claims = """
                {"expiresAt":"2026-11-24T22:00:30.123456Z","audience":"%s","subject":"%s","certificate":"%s",
                 "snapshotId":"%s","manifestDigest":"aa","tenant":"default","later":{"x":1}}""".formatted(SELF, UUID.randomUUID(), CERTIFICATE, snapshot);
        Base64.Encoder base64 = Base64.getUrlEncoder().withoutPadding();
        String signed = "gpusnap-peer." + base64.encodeToString(claims.getBytes(StandardCharsets.UTF_8));
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        String token = signed + "." + base64.encodeToString(mac.doFinal(signed.getBytes(StandardCharsets.UTF_8)));
        // then
        assertThat(gate.judge(token, CERTIFICATE)).isEqualTo(new TokenGate.Allowed(snapshot, "aa"));
    }
}
