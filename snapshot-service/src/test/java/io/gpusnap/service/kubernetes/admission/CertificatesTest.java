package io.gpusnap.service.kubernetes.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class CertificatesTest {
    private static final Instant NOW = Instant.parse("2026-11-29T12:00:00Z");
    private static final X509Certificate FIRST = authority(NOW);
    private static final X509Certificate SECOND = authority(NOW);
    private static final X509Certificate THIRD = authority(NOW);

    /** For a day. */
    private static X509Certificate authority(Instant issued) {
        return Certificates.issue(List.of("127.0.0.1"), Duration.ofDays(1), issued)
                .authority();
    }

    private static String pem(X509Certificate certificate) {
        return new String(Certificates.pem(certificate), StandardCharsets.US_ASCII);
    }

    private static String bundle(X509Certificate current, String before) {
        return new String(
                Certificates.bundle(current, before.getBytes(StandardCharsets.US_ASCII), NOW),
                StandardCharsets.US_ASCII);
    }

    @Test
    void theAuthorityBeforeStaysTrustedAndNoneBeforeThat() {
        String bundle = bundle(SECOND, pem(FIRST));

        assertThat(bundle).isEqualTo(pem(SECOND) + pem(FIRST));
        assertThat(bundle(SECOND, bundle)).as("the next look changes nothing").isEqualTo(bundle);
        assertThat(bundle(THIRD, bundle)).isEqualTo(pem(THIRD) + pem(SECOND));
    }

    @Test
    void oneThatHasEndedIsDropped() {
        assertThat(bundle(FIRST, pem(authority(NOW.minus(Duration.ofDays(2)))))).isEqualTo(pem(FIRST));
    }

    @Test
    void whatIsNoBundleCountsAsEmpty() {
        assertThat(bundle(FIRST, "")).isEqualTo(pem(FIRST));
        assertThat(bundle(FIRST, "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"))
                .isEqualTo(pem(FIRST));
    }
}
