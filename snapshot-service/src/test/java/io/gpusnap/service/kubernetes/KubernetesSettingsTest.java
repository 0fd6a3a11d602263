package io.gpusnap.service.kubernetes;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gpusnap.service.platform.config.BadConfigurationException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;

class KubernetesSettingsTest {

    private static KubernetesSettings bound(Map<String, String> settings) {
        return new Binder(new MapConfigurationPropertySource(settings))
                .bindOrCreate("gpusnap.kubernetes", KubernetesSettings.class);
    }

    @Test
    void aCertificateThatWouldBeRenewedAtEveryLookStopsTheStart() {
        assertThatThrownBy(() -> bound(Map.of("gpusnap.kubernetes.webhook.validity", "30d")))
                .hasRootCauseInstanceOf(BadConfigurationException.class)
                .rootCause()
                .hasMessage("must be less than gpusnap.kubernetes.webhook.validity (PT720H), is PT720H")
                .extracting(cause -> ((BadConfigurationException) cause).property())
                .isEqualTo("gpusnap.kubernetes.webhook.renew-before");
    }
}
