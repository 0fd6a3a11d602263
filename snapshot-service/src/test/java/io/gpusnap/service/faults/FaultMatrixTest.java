package io.gpusnap.service.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.platform.postgres.Replicas;
import io.gpusnap.service.platform.postgres.ServiceProcess;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.FakeDaemon;
import io.gpusnap.service.testing.FakeSharedStore;
import io.gpusnap.service.testing.SimulatedNode;
import io.gpusnap.service.testing.TestManifest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Rows of the fault matrix that are about the control plane, on two services and one PostgreSQL that is killed for it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FaultMatrixTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    private WaitingPrometheus prometheus;
    private Replicas replicas;
    private Api one;
    private Api other;

    @BeforeAll
    void givenTwoServices(@TempDir Path folder) throws IOException {
        prometheus = WaitingPrometheus.start();
        replicas = Replicas.start(
                folder,
                2,
                "--gpusnap.nodes.lease=2s",
                "--gpusnap.nodes.grace=1h",
                "--gpusnap.nodes.lost-after=2h",
                "--gpusnap.rollouts.check-interval=100ms",
                "--gpusnap.rollouts.lease=2s",
                "--gpusnap.rollouts.prometheus-timeout=60s",
                "--gpusnap.rollouts.prometheus-url=" + prometheus.url(),
                "--gpusnap.sweeps.check-interval=100ms",
                "--gpusnap.scrubs.check-interval=1h",
                "--gpusnap.idempotency.in-flight-limit=2s");
        one = replicas.api(0);
        other = replicas.api(1);
    }

    @AfterAll
    void end() {
        prometheus.close();
        replicas.close();
    }

    private static <T> List<T> atOnce(List<Callable<T>> calls) {
        try (ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
            return pool.invokeAll(calls).stream().map(Future::resultNow).toList();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Who was given an operation, under which epoch. */
    private record Claimed(String operation, long epoch, int attempt) {
        static Stream<Claimed> of(Reply reply) {
            return Stream.of(reply)
                    .filter(one -> one.status() == 200)
                    .map(Reply::json)
                    .map(task -> new Claimed(
                            task.path("operationId").asString(),
                            task.path("epoch").asLong(),
                            task.path("attempt").asInt()));
        }
    }

    /** Asks at both until they answer again. */
    private void awaitServices() {
        Stream.of(one, other).forEach(FaultMatrixTest::awaitService);
    }

    private static void awaitService(Api api) {
        await().atMost(LONG)
                .ignoreExceptions()
                .until(() -> api.get("/api/v1/models?pageSize=1").status() == 200);
    }

    private void killAndStartPostgres() throws Exception {
        replicas.killPostgres();
        replicas.startPostgres();
        awaitServices();
    }

    private static void failedForTheDatabaseAndMayBeSentAgain(Reply reply) {
        assertThat(reply.status()).isEqualTo(503);
        assertThat(reply.code()).isEqualTo("DATABASE_UNAVAILABLE");
        assertThat(reply.header("Retry-After")).isNotEmpty();
    }

    private Set<String> operations(String snapshot, String kind) {
        Set<String> ids = new HashSet<>();
        one.get("/api/v1/operations?pageSize=200&snapshot=" + snapshot + "&kind=" + kind)
                .expect(200)
                .json()
                .path("items")
                .forEach(item -> ids.add(item.path("id").asString()));
        return ids;
    }

    private static String operation(Reply restore) {
        return restore.json().at("/operation/id").asString();
    }

    private static Catalogue twoVersions(Api api, SimulatedNode node) {
        Catalogue catalogue = Catalogue.create(api);
        String model = "/api/v1/models/" + catalogue.model();
        api.once().post(model + "/versions", Map.of("name", "v2")).expect(201);
        catalogue.ready(node, "criu+cuda", 1);
        new Catalogue(api, catalogue.model(), "v2").ready(node, "criu+cuda", 2);
        api.once()
                .post(model + "/aliases", Map.of("name", "stable", "version", "v1"))
                .expect(201);
        return catalogue;
    }

    private static JsonNode rollOut(Api api, Catalogue catalogue, Object... steps) {
        return api.once()
                .post(
                        "/api/v1/rollouts",
                        Map.of("model", catalogue.model(), "alias", "stable", "version", "v2", "steps", List.of(steps)))
                .expect(201)
                .json();
    }

    /** A request as a client sends it that does not give up: whatever comes but an answer is tried again. */
    private Reply untilAnswered(String key, Object body) {
        Reply[] answer = new Reply[1];
        await().atMost(LONG).until(() -> {
            try {
                answer[0] = restore(key.hashCode() % 2 == 0 ? one : other, key, body);
                return answer[0].status() < 300;
            } catch (UncheckedIOException e) {
                return false;
            }
        });
        return answer[0];
    }

    @Test
    void row13APostgresThatIsKilledInTheMiddleLeavesOneOutcomeForEachKey() throws Exception {
        // given
        SimulatedNode node = SimulatedNode.register(one);
        Catalogue catalogue = Catalogue.create(one);
        String snapshot = catalogue.ready(node);
        Map<String, Object> body = Map.of("snapshotId", snapshot);
        List<String> keys = IntStream.range(0, 40)
                .mapToObj(i -> catalogue.model() + "-" + i)
                .toList();

        // when the database is killed while creates run, and comes back while they are tried again
        List<Reply> answers;
        try (ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Reply>> running = keys.stream()
                    .map(key -> pool.submit(() -> untilAnswered(key, body)))
                    .toList();
            await().atMost(LONG).until(() -> running.stream().anyMatch(Future::isDone));
            replicas.killPostgres();
            replicas.startPostgres();
            answers = running.stream().map(FaultMatrixTest::get).toList();
        }

        // then each key has one restore and one operation, and tells of the same ones again
        Set<String> restores = new HashSet<>();
        Set<String> operations = new HashSet<>();
        for (int i = 0; i < keys.size(); i++) {
            restores.add(answers.get(i).json().at("/restore/id").asString());
            operations.add(answers.get(i).json().at("/operation/id").asString());
            assertThat(untilAnswered(keys.get(i), body).json().at("/restore/id").asString())
                    .isEqualTo(answers.get(i).json().at("/restore/id").asString());
        }
        assertThat(restores).hasSize(keys.size());
        assertThat(operations(snapshot, "THAW")).isEqualTo(operations);
    }

    @Test
    void row13ACallInFlightFailsTypedAndACommitWithoutAnAnswerIsAnsweredTheSameLater() throws Exception {
        // given two creates at both services that are in their transactions, and hold on there
        SimulatedNode node = SimulatedNode.register(one);
        Catalogue catalogue = Catalogue.create(one);
        String first = catalogue.ready(node, "criu+cuda", 1);
        String second = catalogue.ready(node, "criu+cuda", 2);
        String row = "SELECT 1 FROM snapshot WHERE id = '%s' FOR UPDATE";
        Map<String, Object> unfinished = Map.of("snapshotId", first);
        Map<String, Object> committed = Map.of("snapshotId", second);
        try (ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();
                Connection held = replicas.holding(row.formatted(first))) {
            Future<Reply> one;
            Future<Reply> other;
            try (Connection let = replicas.holding(row.formatted(second))) {
                one = calls.submit(() -> restore(this.one, "u-" + catalogue.model(), unfinished));
                other = calls.submit(() -> restore(this.other, "c-" + catalogue.model(), committed));
                await().atMost(LONG).until(() -> replicas.waitingForLocks() >= 2);
                replicas.holdAnswersOfCommits();
                let.rollback();
            }

            // when the second one's commit lasts, but the database is killed before it says so
            await().atMost(LONG).until(() -> replicas.unansweredCommits("restore") == 1);
            replicas.killPostgres();

            // then both fail so that they may be sent again
            failedForTheDatabaseAndMayBeSentAgain(get(one));
            failedForTheDatabaseAndMayBeSentAgain(get(other));
        }
        replicas.startPostgres();
        awaitServices();

        // and what is there is the second one alone
        Set<String> there = operations(second, "THAW");
        assertThat(there).hasSize(1);
        assertThat(operations(first, "THAW")).isEmpty();

        // when both are sent again, then the first is done now, and the second is told what it did: nothing is lost or
        // done twice
        assertThat(there).containsExactly(operation(untilAnswered("c-" + catalogue.model(), committed)));
        String made = operation(untilAnswered("u-" + catalogue.model(), unfinished));
        assertThat(operations(first, "THAW")).containsExactly(made);
        assertThat(operations(second, "THAW")).isEqualTo(there);
    }

    private static Reply restore(Api api, String key, Object body) {
        return api.with("Idempotency-Key", "\"" + key + "\"").post("/api/v1/restores", body);
    }

    private static Reply get(Future<Reply> future) {
        try {
            return future.get();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void row14OfTwoWhoRaceOneWinsThoughPostgresIsKilledMeanwhile() throws Exception {
        // given
        SimulatedNode node = SimulatedNode.register(one);
        Catalogue catalogue = twoVersions(one, node);
        String alias = "/api/v1/models/" + catalogue.model() + "/aliases/stable";

        // claims: each operation goes to one of those who ask both services
        for (int i = 0; i < 10; i++) {
            one.once()
                    .post("/api/v1/restores", Map.of("model", catalogue.model(), "version", "v1"))
                    .expect(202);
        }
        SimulatedNode same = node.at(other);
        List<Callable<Reply>> polls = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            SimulatedNode asking = i % 2 == 0 ? node : same;
            polls.add(() -> asking.poll(0));
        }
        List<Claimed> claimed = atOnce(polls).stream().flatMap(Claimed::of).toList();
        // whoever lost has taken nothing: what is left is handed out once as well, and again only when its lease has
        // run out
        List<Claimed> left = Stream.generate(() -> same.poll(0))
                .takeWhile(reply -> reply.status() == 200)
                .flatMap(Claimed::of)
                .toList();
        assertThat(claimed).hasSizeGreaterThan(1);
        List<Claimed> all = Stream.concat(claimed.stream(), left.stream()).toList();
        assertThat(all).doesNotHaveDuplicates();
        assertThat(all.stream().filter(one -> one.attempt() == 1).map(Claimed::operation))
                .hasSize(10)
                .doesNotHaveDuplicates();

        // promotions: both are in the middle when the database is killed, then one 200, one 412
        String etag = one.get(alias).header("ETag");
        List<Callable<Reply>> promotions = List.of(
                () -> one.with("If-Match", etag).patch(alias, Map.of("version", "v2")),
                () -> other.with("If-Match", etag).patch(alias, Map.of("version", "v2")));
        try (ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();
                Connection held = replicas.holding(
                        "SELECT 1 FROM model_alias WHERE model_name = '%s' FOR UPDATE".formatted(catalogue.model()))) {
            List<Future<Reply>> running = promotions.stream().map(calls::submit).toList();
            await().atMost(LONG).until(() -> replicas.waitingForLocks() >= 2);
            replicas.killPostgres();
            running.forEach(call -> failedForTheDatabaseAndMayBeSentAgain(get(call)));
        }
        replicas.startPostgres();
        awaitServices();
        assertThat(one.get(alias).json().path("version").asString()).isEqualTo("v1");
        assertThat(atOnce(promotions).stream().map(Reply::status)).containsExactlyInAnyOrder(200, 412);
        assertThat(one.get(alias + "/history").json().path("items")).hasSize(2);

        // claims: who won before the database died still holds what he won
        Map<String, Long> won = new HashMap<>();
        all.forEach(task -> won.merge(task.operation(), task.epoch(), Math::max));
        won.forEach((operation, epoch) -> same.session()
                .post("/node/v1/operations/" + operation + "/progress", Map.of("epoch", epoch, "stages", List.of()))
                .expect(200));

        // deletions: a snapshot is deleted once
        String snapshot = new Catalogue(one, catalogue.model(), "v2").ready(SimulatedNode.register(one));
        String path = "/api/v1/snapshots/" + snapshot;
        String seen = one.get(path).header("ETag");
        assertThat(atOnce(List.<Callable<Integer>>of(
                        () -> one.with("If-Match", seen).delete(path).status(),
                        () -> other.with("If-Match", seen).delete(path).status())))
                .contains(202)
                .doesNotContain(500)
                .containsAnyOf(409, 412);
    }

    @Test
    void row14OfTwoServicesThatCollectGarbageOneDoes() throws Exception {
        // given a bucket with an object that nobody needs; both services look every 100 ms whether it is to be swept
        FakeSharedStore bucket = new FakeSharedStore();
        FakeDaemon daemon = FakeDaemon.start(one, bucket);
        String needed = daemon.save(Catalogue.create(one), 5);
        String orphan = bucket.put("packs/orphan", 5);
        sweep(daemon); // a store that was never seen before is due

        // when it is due and both ask for it at the same moment: nobody writes to the table until both wait for it,
        // while
        // who reads it goes on
        String due = """
                LOCK TABLE store IN SHARE ROW EXCLUSIVE MODE;
                UPDATE store_object SET since = since - interval '2 days' WHERE store_id = '%1$s';
                UPDATE store SET sweep_due_at = 'epoch' WHERE id = '%1$s'""".formatted(bucket.id());
        int rounds = 0;
        for (boolean killed : List.of(false, true, false)) {
            try (Connection held = replicas.holding(due)) {
                await().atMost(LONG).until(() -> replicas.waitingForLocks("SET sweep_due_at") == 2);
                if (killed) {
                    replicas.killPostgres(); // before anybody had it: what was held is lost with it
                } else {
                    held.commit();
                }
            }
            if (killed) {
                replicas.startPostgres();
                awaitServices();
            } else {
                sweep(daemon);
                rounds++;
            }
        }

        // then each time one of them has it swept, and the other one does nothing
        assertThat(one.get("/api/v1/operations?pageSize=200&kind=SWEEP&node=" + daemon.id())
                        .json()
                        .path("items"))
                .hasSize(1 + rounds);
        assertThat(bucket.has(orphan)).isFalse();
        assertThat(one.get("/api/v1/snapshots/" + needed).json().path("state").asString())
                .isEqualTo("READY");
    }

    private static void sweep(FakeDaemon daemon) {
        AtomicReference<JsonNode> task = new AtomicReference<>();
        await().atMost(LONG).until(() -> {
            daemon.claim("SWEEP").ifPresent(task::set);
            return task.get() != null;
        });
        daemon.perform(task.get());
    }

    @Test
    void row15ADaemonAndAServiceStoppedPastALeaseAreRefusedEverywhere() throws Exception {
        // given an operation that was claimed at a service
        SimulatedNode same = SimulatedNode.register(one);
        SimulatedNode node = same.at(other);
        Catalogue catalogue = Catalogue.create(one);
        catalogue.restore(catalogue.ready(same)).expect(202);
        try (ServiceProcess mortal = replicas.process("stopped");
                ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor()) {
            SimulatedNode there = same.at(mortal.api());
            JsonNode stopped = there.claim();

            // when that service is stopped by a signal, and hears meanwhile that the operation is done
            mortal.suspend();
            Future<Reply> report = calls.submit(() -> there.thawed(stopped, 9, "w"));
            same.progress(stopped).expect(200);

            // and the operation is claimed again past its lease at another, which has lost its database meanwhile
            replicas.killPostgres();
            replicas.startPostgres();
            JsonNode again = claimAgain(same);
            assertThat(again.path("epoch").asLong())
                    .isEqualTo(stopped.path("epoch").asLong() + 1);

            // then nothing of the first claim is taken, neither there once it goes on nor anywhere
            assertThat(report.isDone()).isFalse();
            mortal.resume();
            assertThat(get(report).status()).isGreaterThanOrEqualTo(400);
            awaitService(mortal.api());
            assertThat(there.thawed(stopped, 9, "w").code()).isEqualTo("STALE_EPOCH");
            assertThat(node.progress(stopped).code()).isEqualTo("STALE_EPOCH");
            assertThat(same.progress(stopped).code()).isEqualTo("STALE_EPOCH");
            assertThat(node.thawed(stopped, 9, "w").code()).isEqualTo("STALE_EPOCH");
            same.thawed(again, 10, "w").expect(204);
            assertThat(there.thawed(stopped, 9, "w").code()).isEqualTo("STALE_EPOCH");
            assertThat(node.thawed(stopped, 9, "w").code()).isEqualTo("STALE_EPOCH");
        }
    }

    /** What the node had claimed before, once its lease has run out. */
    private static JsonNode claimAgain(SimulatedNode node) {
        AtomicReference<JsonNode> task = new AtomicReference<>();
        await().atMost(LONG).ignoreExceptions().until(() -> {
            Reply poll = node.poll(0);
            task.set(poll.status() == 200 ? poll.json() : null);
            return task.get() != null;
        });
        return task.get();
    }

    @Test
    void row15AServiceThatMeasuredTooLongChangesNothing() {
        // given a rollout whose measurement hangs in one service
        SimulatedNode node = SimulatedNode.register(one);
        String path = analysed(twoVersions(one, node), "errors");
        await().atMost(LONG).until(() -> prometheus.asked("errors") > 0);

        // when somebody promotes it at the other one, and the value that comes then is a bad one
        other.with("If-Match", "*").post(path + "/promotion", Map.of()).expect(200);
        prometheus.answer("errors", "9");

        // then the value counts for nothing: the step it was for is over
        await().during(Duration.ofSeconds(3))
                .atMost(LONG)
                .untilAsserted(
                        () -> assertThat(one.get(path).json().path("phase").asString())
                                .isEqualTo("PAUSED"));
        assertThat(one.get(path).json().path("weight").asInt()).isEqualTo(40);
    }

    /** A rollout that waits for what this query gives: less than 1 is good; its path. */
    private String analysed(Catalogue catalogue, String query) {
        JsonNode rollout = rollOut(
                one,
                catalogue,
                Map.of("setWeight", 20),
                Map.of(
                        "analysis",
                        Map.of(
                                "metrics",
                                List.of(Map.of(
                                        "name",
                                        "errors",
                                        "kind",
                                        "PROMETHEUS",
                                        "query",
                                        query,
                                        "success",
                                        Map.of("comparison", "LT", "limit", 1))))),
                Map.of("setWeight", 40),
                Map.of("pause", Map.of()));
        return "/api/v1/rollouts/" + rollout.path("id").asString();
    }

    @Test
    void row15AServiceStoppedPastItsLeaseChangesNothingThoughTheNextOneIsNotDoneYet() throws Exception {
        // given a rollout that is being measured a second time, because the first measurement outlived its lease
        String path = analysed(twoVersions(one, SimulatedNode.register(one)), "late");
        await().atMost(LONG).until(() -> prometheus.asked("late") >= 2);

        // when the first one gets a value, a bad one, then nothing comes of it
        prometheus.answerFirst("late", "9");
        await().during(Duration.ofSeconds(2)).atMost(LONG).untilAsserted(() -> {
            JsonNode rollout = other.get(path).json();
            assertThat(rollout.path("phase").asString()).isEqualTo("PROGRESSING");
            assertThat(rollout.at("/analysis/metrics/0/measurements")).isEmpty();
        });

        // when the database dies while the next ones still measure, and they get a good one after
        killAndStartPostgres();
        prometheus.answer("late", "0");

        // then that counts, once
        await().atMost(LONG)
                .untilAsserted(
                        () -> assertThat(one.get(path).json().path("phase").asString())
                                .isEqualTo("PAUSED"));
        JsonNode rollout = one.get(path).json();
        assertThat(rollout.path("weight").asInt()).isEqualTo(40);
        assertThat(rollout.at("/analysis/metrics/0/measurements")
                        .valueStream()
                        .map(one -> one.path("verdict").asString()))
                .containsExactly("SUCCESSFUL");
    }

    @Test
    void row16WhatIsSentAgainOrOutOfOrderTakesEffectOnce() throws Exception {
        // given
        SimulatedNode node = SimulatedNode.register(one);
        SimulatedNode same = node.at(other);
        Catalogue catalogue = Catalogue.create(one);
        JsonNode accepted = catalogue.restore(catalogue.ready(node)).expect(202).json();
        JsonNode task = node.claim();

        // when its end is reported, and the service is killed before the database answers that it has committed it; and
        // then the database
        try (ServiceProcess mortal = replicas.process("killed");
                ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor()) {
            SimulatedNode there = node.at(mortal.api());
            replicas.holdAnswersOfCommits();
            Future<Reply> report = calls.submit(() -> there.thawed(task, 50, "w"));
            await().atMost(LONG).until(() -> replicas.unansweredCommits("workload") == 1);
            mortal.close();
            assertThatThrownBy(report::get).hasRootCauseInstanceOf(IOException.class);
            replicas.killPostgres();
        }
        replicas.startPostgres();
        awaitServices();

        // and it is reported again at another one, and then at both, and its progress after its end
        await().atMost(LONG)
                .ignoreExceptions()
                .until(() -> same.thawed(task, 50, "w").status() == 204);
        node.thawed(task, 50, "w").expect(204);
        same.thawed(task, 50, "w").expect(204);
        assertThat(same.progress(task).code()).isEqualTo("OPERATION_FINISHED");
        assertThat(same.fail(task, "INTERNAL").code()).isEqualTo("OPERATION_FINISHED");

        // then there is one process, and the restore is what the first report said
        JsonNode restore = other.get(
                        "/api/v1/restores/" + accepted.at("/restore/id").asString())
                .json();
        assertThat(restore.path("state").asString()).isEqualTo("SUCCEEDED");
        assertThat(restore.path("pid").asInt()).isEqualTo(50);
        assertThat(restore.path("attempts")).hasSize(1);
        assertThat(other.get("/api/v1/workloads?name=w&node=" + node.id())
                        .json()
                        .path("items"))
                .hasSize(1);
    }

    @Test
    void row17WhatComesAfterTheLeaseWasGivenAwayIsRefusedAndTheDaemonIsTold() throws Exception {
        SimulatedNode node = SimulatedNode.register(one);
        SimulatedNode same = node.at(other);
        Catalogue catalogue = Catalogue.create(one);
        catalogue.restore(catalogue.ready(node)).expect(202);
        JsonNode late = node.claim();
        // the database dies before the lease does, which outlives it
        killAndStartPostgres();
        claimAgain(same);

        // a heartbeat that still names it under the old epoch is told to stop
        Map<String, Object> inventory = SimulatedNode.inventory(Map.of("criu+cuda", "", "suspend", ""));
        Map<String, Object> held = Map.of(
                "operationId",
                late.path("operationId").asString(),
                "epoch",
                late.path("epoch").asLong());
        JsonNode reply =
                node.heartbeat(inventory, List.of(), List.of(held)).expect(200).json();

        assertThat(reply.at("/fencedOperations/0").asString())
                .isEqualTo(late.path("operationId").asString());
        assertThat(node.fail(late, "INTERNAL").code()).isEqualTo("STALE_EPOCH");
        assertThat(node.thawed(late, 9, "w").code()).isEqualTo("STALE_EPOCH");
    }

    /** Nor garbage collection: what is old enough is asked of the database, which ArchitectureTest.timeIsTheDatabases keeps so. */
    @Test
    void row19ADaemonsClockMovesNoLease() throws Exception {
        // given a daemon whose clock is an hour ahead, and then an hour behind
        SimulatedNode node = SimulatedNode.register(one);
        Catalogue catalogue = Catalogue.create(one);
        catalogue.restore(catalogue.ready(node)).expect(202);
        JsonNode[] task = {node.claim()};
        Instant now = Instant.parse(task[0].path("leaseUntil").asString());

        for (Duration off : List.of(Duration.ofHours(1), Duration.ofHours(-1))) {
            // on a machine that stood still between the two calls the lease has rightly run out: then it is the new
            // one's turn
            await().atMost(LONG).until(() -> {
                // when it reports by it
                JsonNode reply = node.progress(
                                task[0],
                                Map.of(
                                        "name",
                                        "fill",
                                        "state",
                                        "RUNNING",
                                        "attempt",
                                        1,
                                        "startedAt",
                                        now.plus(off).toString()))
                        .expect(200)
                        .json();

                // then the lease is the database's: two seconds from now, not an hour off
                Instant until = Instant.parse(reply.path("leaseUntil").asString());
                assertThat(Duration.between(now, until).abs()).isLessThan(Duration.ofMinutes(5));
                Reply poll = node.poll(0);
                if (poll.status() == 200) {
                    task[0] = poll.json();
                }
                return poll.status() == 204;
            });
        }
        // and so it is when the database was killed meanwhile
        killAndStartPostgres();
        JsonNode beat = node.heartbeat().expect(200).json();
        assertThat(Duration.between(now, Instant.parse(beat.path("serverTime").asString()))
                        .abs())
                .isLessThan(Duration.ofMinutes(5));
    }

    @Test
    void row20AnotherImageDriverOrGpuUnderTheSameReplicaKeyIsATypedRefusalAndAColdStart() throws Exception {
        // given a replica that was frozen
        SimulatedNode node = SimulatedNode.register(one);
        Catalogue catalogue = Catalogue.create(one);
        String workload = node.runs(SimulatedNode.process(3, "w-3"));
        catalogue.save(workload, "criu+cuda").expect(202);
        JsonNode save = node.claim();
        node.complete(save, SimulatedNode.saveOutcome(TestManifest.of(save).withCompatibility()))
                .expect(204);
        Map<String, Object> inventory = SimulatedNode.inventory(Map.of("criu+cuda", ""));
        inventory.putAll(Map.of("driverBuild", "580.1", "cudaDriverVersion", 13000, "criuVersion", "4.2.1"));
        node.heartbeat(inventory, List.of(), List.of()).expect(200);

        // when a pod of the same name and another image asks for it, then it is told why, and starts cold
        isRefused(catalogue, Map.of("image", "llm@sha256:other"), "image", "INCOMPATIBLE");

        // when the node has another driver by then
        Map<String, Object> driver = new LinkedHashMap<>(inventory);
        driver.put("driverBuild", "590.1");
        node.heartbeat(driver, List.of(), List.of()).expect(200);
        isRefused(catalogue, Map.of(), "driver", "DRIVER_MISMATCH");

        // when the database is killed, it is no other answer then
        killAndStartPostgres();
        isRefused(catalogue, Map.of(), "driver", "DRIVER_MISMATCH");

        // when it has another GPU
        Map<String, Object> gpu = SimulatedNode.gpu(null);
        gpu.put("name", "Simulated A100");
        Map<String, Object> gpus = new LinkedHashMap<>(inventory);
        gpus.put("gpus", List.of(gpu));
        node.heartbeat(gpus, List.of(), List.of()).expect(200);
        isRefused(catalogue, Map.of(), "gpu-model", "GPU_MISMATCH");

        // and when everything is as it was, it comes back
        node.heartbeat(inventory, List.of(), List.of()).expect(200);
        other.once().post("/api/v1/restores", replica(catalogue, Map.of())).expect(202);
    }

    private static Map<String, Object> replica(Catalogue catalogue, Map<String, ?> constraints) {
        return Map.of("model", catalogue.model(), "version", "v1", "replicaKey", "pod-0", "constraints", constraints);
    }

    private void isRefused(Catalogue catalogue, Map<String, ?> constraints, String gate, String code) {
        JsonNode refused = other.once()
                .post("/api/v1/restores", replica(catalogue, constraints))
                .expect(201)
                .json()
                .path("restore");
        assertThat(refused.path("state").asString()).isEqualTo("COLD");
        assertThat(refused.at("/cold/code").asString()).isEqualTo(code);
        assertThat(refused.at("/decision/rejected/0/gate").asString()).isEqualTo(gate);
    }

    @Test
    void row29ABadCanaryGoesBackThoughTheControlPlaneWasDownMeanwhile() throws Exception {
        // given a canary that fails, in a rollout that is analysed
        SimulatedNode node = SimulatedNode.register(one);
        Catalogue catalogue = twoVersions(one, node);
        JsonNode rollout = rollOut(
                one,
                catalogue,
                Map.of("setWeight", 100),
                Map.of(
                        "analysis",
                        Map.of(
                                "metrics",
                                List.of(Map.of(
                                        "name",
                                        "thaws",
                                        "kind",
                                        "THAW_SUCCESS_RATE",
                                        "intervalSeconds",
                                        1,
                                        "count",
                                        100,
                                        "inconclusiveLimit",
                                        100)))));
        String path = "/api/v1/rollouts/" + rollout.path("id").asString();
        String alias = "/api/v1/models/" + catalogue.model() + "/aliases/stable";
        one.once()
                .post("/api/v1/restores", Map.of("model", catalogue.model(), "alias", "stable"))
                .expect(202);
        JsonNode thaw = node.claim();

        // when the database dies, the daemon's report finds nobody, and everything comes back
        replicas.killPostgres();
        assertThat(node.fail(thaw, "DRIVER_FAILED").status()).isGreaterThanOrEqualTo(500);
        replicas.startPostgres();
        await().atMost(LONG).until(() -> node.fail(thaw, "DRIVER_FAILED").status() == 204);

        // then it goes back by itself, and the alias stands for what it stood for
        await().atMost(LONG)
                .ignoreExceptions()
                .untilAsserted(
                        () -> assertThat(other.get(path).json().path("phase").asString())
                                .isEqualTo("DEGRADED"));
        assertThat(other.get(alias).json().path("version").asString()).isEqualTo("v1");
        assertThat(other.once()
                        .post("/api/v1/restores", Map.of("model", catalogue.model(), "alias", "stable"))
                        .expect(202)
                        .json()
                        .at("/restore/version")
                        .asString())
                .isEqualTo("v1");
    }
}
