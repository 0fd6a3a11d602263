package io.gpusnap.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** A setting that cannot be right stops the start, and the last thing on the screen is its name and what is wrong. */
@ExtendWith(OutputCaptureExtension.class)
class BadConfigurationTest {
    @TempDir
    private Path folder;

    @ParameterizedTest(name = "{0}={1}")
    @CsvSource(delimiter = '|', textBlock = """
            server.address                      | 0.0.0.0 | server.address: 0.0.0.0 is reachable from other machines; set gpusnap.security.allow-remote=true
            server.address                      | ''      | server.address: (empty) is reachable from other machines
            gpusnap.scaler.client-ca            | ca.pem  | gpusnap.scaler.certificate: must be set: without TLS
            gpusnap.scaler.port                 | 70000   | gpusnap.scaler.port: must be less than or equal to 65535 (is 70000)
            gpusnap.nodes.grace                 | 15s     | gpusnap.nodes.grace: must be at least twice gpusnap.nodes.heartbeat-interval
            gpusnap.nodes.lost-after            | 10s     | gpusnap.nodes.lost-after: must be more than gpusnap.nodes.grace
            gpusnap.operations.max-attempts     | 0       | gpusnap.operations.max-attempts: must be greater than or equal to 1 (is 0)
            gpusnap.nodes.heartbeat-interval    | soon    | gpusnap.nodes.heartbeat-interval
            gpusnap.operations.max-atempts      | 5       | gpusnap.operations.max-atempts
            gpusnap.data-dri                    | x       | gpusnap.data-dri: there is no such setting
            gpusnap.node.grace                  | 40s     | gpusnap.node.grace: there is no such setting
            spring.datasource.url               | jdbc:postgresql://127.0.0.1:1/none | spring.datasource.url: the database cannot be reached: Connection to 127.0.0.1:1 refused
            spring.datasource.url               | postgres://localhost/x             | spring.datasource.url: the database cannot be reached: No suitable driver
            gpusnap.postgres.port               | 70000   | gpusnap.postgres.port: must be less than or equal to 65535 (is 70000)
            gpusnap.data-dir                    | ''      | gpusnap.data-dir: must name a folder
            gpusnap.data-dir                    | /proc/x | gpusnap.data-dir: cannot use /proc/x
            """)
    void theStartStopsAndNamesTheProperty(String property, String value, String message, CapturedOutput output) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("gpusnap.data-dir", folder.toString());
        settings.put("server.port", "0");
        // what is tested is found before a database is needed; this one is never reached
        settings.put("spring.datasource.url", "jdbc:postgresql://127.0.0.1:1/none");
        settings.put(property, value);

        assertThatThrownBy(() -> SpringApplication.run(
                                ServiceApplication.class,
                                settings.entrySet().stream()
                                        .map(setting -> "--" + setting.getKey() + "=" + setting.getValue())
                                        .toArray(String[]::new))
                        .close())
                .isNotNull();

        String printed = output.getAll();
        assertThat(printed.substring(printed.indexOf("APPLICATION FAILED TO START")))
                .contains(message);
    }
}
