package io.gpusnap.service.security;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.mock.env.MockEnvironment;

@ExtendWith(OutputCaptureExtension.class)
class TlsTest {
    private final MockEnvironment environment = new MockEnvironment();

    @ParameterizedTest
    @CsvSource({
        "server.ssl.bundle, web",
        "server.ssl.key-store, keys.p12",
        "server.ssl.certificate, web.pem",
        "server.ssl.enabled, true"
    })
    void howeverTheCertificateIsNamedItIsTls(String property, String value) {
        environment.withProperty(property, value);

        assertThat(Tls.isOn(environment, "server.ssl")).isTrue();
    }

    @Test
    void withoutACertificateOrSwitchedOffItIsNot() {
        assertThat(Tls.isOn(environment, "server.ssl")).isFalse();

        environment.withProperty("server.ssl.key-store", "keys.p12").withProperty("server.ssl.enabled", "false");

        assertThat(Tls.isOn(environment, "server.ssl")).isFalse();
    }

    @Test
    void onlyWhatIsReachableWithoutTlsIsWarnedAbout(CapturedOutput output) {
        environment.withProperty("server.address", "0.0.0.0");
        ListenGuard guard = new ListenGuard(environment, new SecuritySettings(true, null));

        guard.check();
        assertThat(output).contains("server.address is reachable from other machines without TLS");

        int before = output.getAll().length();
        environment.withProperty("server.ssl.key-store", "keys.p12");
        guard.check();
        assertThat(output.getAll().substring(before)).doesNotContain("without TLS");
    }
}
