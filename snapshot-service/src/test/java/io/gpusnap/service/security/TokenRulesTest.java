package io.gpusnap.service.security;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.platform.config.DataDirectory;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;

@ServiceTest
@ExtendWith(OutputCaptureExtension.class)
class TokenRulesTest {
    @Autowired
    private Api api;

    @Autowired
    private DataDirectory directory;

    @Autowired
    private JdbcClient jdbc;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/api/v1/models",
                "/api/v1/operations",
                "/actuator/prometheus",
                "/actuator/env",
                "/node/v1/nodes",
                "/anything"
            })
    void nothingIsToldWithoutAToken(String path) {
        Reply without = api.anonymous().get(path);
        Reply wrong = api.withToken("x".repeat(43)).get(path);

        assertThat(without.code()).isEqualTo("UNAUTHENTICATED");
        assertThat(without.header("WWW-Authenticate")).startsWith("Bearer");
        assertThat(wrong.code()).isEqualTo("UNAUTHENTICATED");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/actuator/health",
                "/actuator/health/readiness",
                "/swagger-ui/index.html",
                "/v3/api-docs/control-plane",
                "/v3/api-docs.yaml/node",
                "/errors/INTERNAL"
            })
    void healthAndDocumentationAreOpenWhateverTokenComesAlong(String path) {
        assertThat(api.anonymous().get(path).status()).isEqualTo(200);
        assertThat(api.withToken("wrong").get(path).status()).isEqualTo(200);
    }

    @Test
    void healthTellsNothingButItself() {
        assertThat(api.anonymous().get("/actuator/health").text()).doesNotContain("db", "PostgreSQL", "/");
    }

    @Test
    void aDaemonsTokenIsForTheNodeApiOnlyAndTheAccessTokenIsNot() {
        SimulatedNode node = SimulatedNode.register(api);

        assertThat(node.session().get("/api/v1/models").code()).isEqualTo("FORBIDDEN");
        assertThat(node.session()
                        .post("/node/v1/nodes", Map.of("name", "other"))
                        .code())
                .isEqualTo("FORBIDDEN");
        assertThat(api.post("/node/v1/nodes/" + node.id() + "/claims").code()).isEqualTo("FORBIDDEN");
    }

    @Test
    void aDaemonReachesOnlyItsOwnNodeAndOperations() {
        // given two nodes, one with a claimed operation
        Catalogue catalogue = Catalogue.create(api);
        SimulatedNode one = SimulatedNode.register(api);
        SimulatedNode other = SimulatedNode.register(api);
        catalogue.save(one.runs(SimulatedNode.process(1, "w")), "suspend").expect(202);
        JsonNode task = one.claim();

        // when the other one meddles
        String heartbeats = "/node/v1/nodes/" + one.id() + "/heartbeats";
        Map<String, Object> empty =
                Map.of("inventory", SimulatedNode.inventory(Map.of()), "workloads", java.util.List.of());

        // then it is refused, without a hint whether the operation exists
        assertThat(other.session().post(heartbeats, empty).code()).isEqualTo("FORBIDDEN");
        assertThat(other.session()
                        .post("/node/v1/nodes/" + one.id() + "/claims")
                        .code())
                .isEqualTo("FORBIDDEN");
        assertThat(other.progress(task).code()).isEqualTo("OPERATION_NOT_FOUND");
        assertThat(other.fail(task, "INTERNAL").code()).isEqualTo("OPERATION_NOT_FOUND");
        assertThat(catalogue
                        .operation(task.path("operationId").asString())
                        .path("state")
                        .asString())
                .isEqualTo("RUNNING");
    }

    @Test
    void anotherRegistrationOfTheSameNodeEndsTheSession() {
        // given
        SimulatedNode before = SimulatedNode.register(api);

        // when
        SimulatedNode after = SimulatedNode.register(api, before.name());

        // then it is the same node under the next epoch, and the older token is told so
        assertThat(after.id()).isEqualTo(before.id());
        assertThat(after.epoch()).isEqualTo(before.epoch() + 1);
        assertThat(before.poll(0).code()).isEqualTo("STALE_SESSION");
        assertThat(after.poll(0).status()).isEqualTo(204);
    }

    @Test
    void aForgedSessionTokenIsRefused() {
        SimulatedNode node = SimulatedNode.register(api);
        String secret = "A".repeat(43);

        for (String token : new String[] {
            "gpusnap-node." + node.id() + "." + node.epoch() + "." + secret,
            "gpusnap-node." + node.id() + "." + (node.epoch() + 1) + "." + secret,
            "gpusnap-node." + UUID.randomUUID() + ".1." + secret
        }) {
            assertThat(api.withToken(token)
                            .post("/node/v1/nodes/" + node.id() + "/claims")
                            .code())
                    .isEqualTo("UNAUTHENTICATED");
        }
    }

    @Test
    void secretsAreInFilesOfTheirOwnerOnlyAndNeitherInTheLogNorInTheDatabase(CapturedOutput output) throws Exception {
        // given a node that has just registered and failed once
        SimulatedNode node = SimulatedNode.register(api);
        api.withToken(api.token() + "x").get("/api/v1/models");
        String session = node.session().token();
        String secret = session.substring(session.lastIndexOf('.') + 1);

        // then
        assertThat(output.getAll()).contains(node.name()).doesNotContain(secret).doesNotContain(api.token());
        assertThat(jdbc.sql("SELECT n::text FROM node n WHERE id = ?::uuid")
                        .param(node.id())
                        .query(String.class)
                        .single())
                .doesNotContain(secret);
        for (String file : new String[] {"access-token", "postgres-password"}) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve(file))))
                    .isEqualTo("rw-------");
        }
        assertThat(Files.readString(directory.resolve("postgres.log")))
                .doesNotContain(
                        Files.readString(directory.resolve("postgres-password")).strip());
    }
}
