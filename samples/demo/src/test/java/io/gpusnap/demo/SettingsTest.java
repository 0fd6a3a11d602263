package io.gpusnap.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsTest {

    @Test
    void anEmptyEnvironmentGivesTheDefaults() {
        Settings settings = Settings.from(Map.of());

        assertThat(settings)
                .isEqualTo(new Settings(
                        Settings.DEFAULT_WEIGHTS_MIB,
                        Settings.DEFAULT_KV_MIB,
                        Settings.DEFAULT_WARMUP_SECONDS,
                        Settings.Driver.AUTO,
                        false));
    }

    @Test
    void everySettingCanBeChosen() {
        Settings settings = Settings.from(Map.of(
                "DEMO_WEIGHTS_MIB", "64",
                "DEMO_KV_MIB", "32",
                "DEMO_WARMUP_SECONDS", "1",
                "DEMO_DRIVER", "Simulated",
                "KEEP", "1"));

        assertThat(settings).isEqualTo(new Settings(64, 32, 1, Settings.Driver.SIMULATED, true));
        assertThat(settings.deviceBytes()).isEqualTo(96L << 20);
    }

    @ParameterizedTest
    @CsvSource({
        "DEMO_WEIGHTS_MIB, many, a whole number",
        "DEMO_KV_MIB, 0, from 1 to",
        "DEMO_WARMUP_SECONDS, 100000, from 1 to 600",
        "DEMO_DRIVER, amd, 'auto, real or simulated'",
        "KEEP, perhaps, 1 or 0"
    })
    void aBadValueIsNamedWithWhatWouldBeRight(String name, String value, String mend) {
        assertThatThrownBy(() -> Settings.from(Map.of(name, value)))
                .isInstanceOf(DemoFailure.class)
                .hasMessageContaining(name)
                .hasMessageContaining(mend)
                .hasMessageContaining(value);
    }
}
