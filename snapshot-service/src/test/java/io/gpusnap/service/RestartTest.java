package io.gpusnap.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.platform.config.SecretFiles;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.SimulatedNode;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;

@ExtendWith(OutputCaptureExtension.class)
class RestartTest {
    @TempDir
    private Path folder;

    private ConfigurableApplicationContext start() {
        return SpringApplication.run(ServiceApplication.class, "--gpusnap.data-dir=" + folder, "--server.port=0");
    }

    private Api api(ConfigurableApplicationContext service) throws IOException {
        return new Api(
                "http://127.0.0.1:" + service.getEnvironment().getRequiredProperty("local.server.port"),
                SecretFiles.read(folder.resolve("access-token")));
    }

    @Test
    void aServiceThatStartsAgainGoesOnWhereItWas(CapturedOutput output) throws IOException {
        // given a service with a snapshot and a save in the middle
        Catalogue before;
        String snapshot;
        SimulatedNode node;
        JsonNode task;
        String token;
        try (ConfigurableApplicationContext service = start()) {
            Api api = api(service);
            token = api.token();
            before = Catalogue.create(api);
            node = SimulatedNode.register(api);
            snapshot = before.ready(node);
            before.save(node.runs(SimulatedNode.process(2, "w")), "criu+cuda").expect(202);
            task = node.claim();
        }
        assertThat(output.getOut()).contains("Swagger UI:", "/swagger-ui.html");

        // when it is stopped and started
        try (ConfigurableApplicationContext service = start()) {
            Api api = api(service);
            Catalogue after = new Catalogue(api, before.model(), "v1");

            // then tokens, rows and the running save are as before
            assertThat(api.token()).isEqualTo(token);
            assertThat(after.snapshot(snapshot).path("state").asString()).isEqualTo("READY");
            SimulatedNode same = node.at(api);
            same.saved(task).expect(204);
            assertThat(after.snapshot(task.at("/save/snapshotId").asString())
                            .path("state")
                            .asString())
                    .isEqualTo("READY");
        }
        // and what is captured here, as in a log, tells where the token is and not the token
        assertThat(output.getOut()).contains("Access token: in " + folder).doesNotContain(token);
    }
}
