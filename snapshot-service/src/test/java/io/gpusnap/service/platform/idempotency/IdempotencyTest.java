package io.gpusnap.service.platform.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.ServiceTest;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;

@ServiceTest
class IdempotencyTest {
    private static final String MODELS = "/api/v1/models";

    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    private final String key = "\"" + UUID.randomUUID() + "\"";
    private final String name = "idem-" + UUID.randomUUID();

    @Test
    void aCreateWithoutKeyIsRefused() {
        assertThat(api.post(MODELS, Map.of("name", name)).code()).isEqualTo("IDEMPOTENCY_KEY_MISSING");
        assertThat(api.get(MODELS + "/" + name).status()).isEqualTo(404);
    }

    @ParameterizedTest
    @ValueSource(strings = {"bare", "\"\"", "\"open", "\"a\"b\""})
    void aKeyThatIsNoQuotedStringIsRefused(String header) {
        assertThat(api.with("Idempotency-Key", header)
                        .post(MODELS, Map.of("name", name))
                        .code())
                .isEqualTo("INVALID_REQUEST");
    }

    @Test
    void theSameRequestAgainGetsTheFirstAnswer() {
        // given a create that went through
        Api caller = api.with("Idempotency-Key", key);
        Reply first =
                caller.post(MODELS, Map.of("name", name, "description", "d")).expect(201);

        // when it is sent again, its fields in another order
        Reply again = caller.post(MODELS, "{\"description\":\"d\", \"name\":\"" + name + "\"}");

        // then the answer is the same, and says that it is a repeat
        assertThat(again.status()).isEqualTo(201);
        assertThat(again.json()).isEqualTo(first.json());
        assertThat(again.header("Location")).isEqualTo(MODELS + "/" + name);
        assertThat(again.header("ETag")).isEqualTo(first.header("ETag"));
        assertThat(first.header("Idempotency-Replayed")).isEqualTo("false");
        assertThat(again.header("Idempotency-Replayed")).isEqualTo("true");
    }

    @Test
    void theSameKeyForAnotherRequestIsRefused() {
        Api caller = api.with("Idempotency-Key", key);
        caller.post(MODELS, Map.of("name", name)).expect(201);

        assertThat(caller.post(MODELS, Map.of("name", name + "-b")).code()).isEqualTo("IDEMPOTENCY_KEY_REUSED");
        assertThat(caller.post(MODELS + "/" + name + "/versions", Map.of("name", name))
                        .code())
                .isEqualTo("IDEMPOTENCY_KEY_REUSED");
    }

    @Test
    void aRefusedCreateGivesItsKeyBack() {
        Api caller = api.with("Idempotency-Key", key);
        api.once().post(MODELS, Map.of("name", name)).expect(201);
        assertThat(caller.post(MODELS, Map.of("name", name)).code()).isEqualTo("NAME_TAKEN");

        caller.post(MODELS, Map.of("name", name + "-b")).expect(201);
    }

    @Test
    void manyAtTheSameTimeMakeOne() throws Exception {
        // given 12 callers with one key and one request
        Api caller = api.with("Idempotency-Key", key);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Callable<Reply>> calls = IntStream.range(0, 12)
                    .<Callable<Reply>>mapToObj(i -> () -> caller.post(MODELS, Map.of("name", name)))
                    .toList();

            // when all call at once
            List<Reply> replies =
                    threads.invokeAll(calls).stream().map(Future::resultNow).toList();

            // then one made it, and the others got its answer or were told to wait
            assertThat(replies.stream()
                            .filter(reply -> reply.status() == 201
                                    && reply.header("Idempotency-Replayed").equals("false")))
                    .hasSize(1);
            assertThat(replies)
                    .allSatisfy(reply -> assertThat(reply.status() == 201 ? "done" : reply.code())
                            .isIn("done", "IDEMPOTENCY_IN_FLIGHT"));
        }
    }

    @Test
    void aKeyWhoseProcessDiedCanBeTakenAfterAWhile() {
        // given a key that was taken by a request that never ended
        Api caller = api.with("Idempotency-Key", key);
        caller.post(MODELS, Map.of("name", name)).expect(201);
        String bare = key.substring(1, key.length() - 1);
        jdbc.sql(
                        "UPDATE idempotency_key SET status = NULL, body = NULL, in_flight_until = now() + interval '1 hour' WHERE key = ?")
                .param(bare)
                .update();
        jdbc.sql("DELETE FROM model WHERE name = ?").param(name).update();

        // when it is repeated, then first it is in flight, later it is done once
        assertThat(caller.post(MODELS, Map.of("name", name)).code()).isEqualTo("IDEMPOTENCY_IN_FLIGHT");
        jdbc.sql("UPDATE idempotency_key SET in_flight_until = now() WHERE key = ?")
                .param(bare)
                .update();
        caller.post(MODELS, Map.of("name", name)).expect(201);
        assertThat(api.get(MODELS + "/" + name).status()).isEqualTo(200);
    }
}
