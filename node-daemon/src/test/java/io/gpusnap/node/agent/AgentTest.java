package io.gpusnap.node.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.node.client.NodeApiClient;
import io.gpusnap.node.operation.FactRegistry;
import io.gpusnap.node.operation.Journal;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.RetryPolicy;
import io.gpusnap.node.operation.StageListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class AgentTest {

    private static final FactRegistry FACTS = Agent.FACTS.plus(FactRegistry.of(ToyWork.Done.class));
    private static final AgentTiming FAST = new AgentTiming(
            System::nanoTime,
            Duration.ofMillis(50),
            Duration.ofMillis(5),
            new RetryPolicy(Integer.MAX_VALUE, Duration.ofMillis(10), 0.5),
            Duration.ofHours(1),
            Duration.ofSeconds(2));

    @TempDir
    Path folder;

    private final ToyWork work = new ToyWork();
    private final UUID operation = UUID.randomUUID();
    private FakeService service;
    private Journal journal;
    private Agent agent;

    @BeforeEach
    void prepare() throws IOException {
        service = new FakeService();
        journal = Journal.open(folder.resolve("journal"), FACTS);
    }

    @AfterEach
    void stopAll() throws InterruptedException {
        if (agent != null) {
            work.proceed.countDown();
            agent.stop(Duration.ofSeconds(5));
        }
        service.close();
    }

    @Test
    void aClockThatIsAnHourOffIsNoticed() throws Exception {
        service.up();
        service.clockAhead(Duration.ofHours(1));

        startAgent(journal);

        await().untilAsserted(() ->
                assertThat(agent.clockDifference()).isBetween(Duration.ofMinutes(55), Duration.ofMinutes(65)));
        service.clockAhead(Duration.ofHours(-1));
        await().untilAsserted(() ->
                assertThat(agent.clockDifference()).isBetween(Duration.ofMinutes(-65), Duration.ofMinutes(-55)));
    }

    @Test
    void claimedWorkIsRunReportedCompletedAndForgotten() throws Exception {
        service.up();
        startAgent(journal);
        service.offer(operation, "THAW", thaw());
        work.entered.await();

        await().untilAsserted(() -> assertThat(service.progress(operation)).isNotNull());
        JsonNode stage = service.progress(operation).path("stages").get(0);
        assertThat(stage.path("name").asString()).isEqualTo("work");
        await().untilAsserted(() -> {
            JsonNode running = service.progress(operation).path("stages").get(0);
            assertThat(running.path("state").asString()).isEqualTo("RUNNING");
            assertThat(running.path("bytesDone").asLong()).isEqualTo(40);
            assertThat(running.path("bytesTotal").asLong()).isEqualTo(100);
        });

        work.proceed.countDown();
        JsonNode completion = awaitCompletion(operation);
        assertThat(completion.path("outcome").asString()).isEqualTo("SUCCEEDED");
        assertThat(completion.path("epoch").asLong()).isEqualTo(1);
        assertThat(completion.path("thaw").path("pid").asInt()).isEqualTo(7);
        assertThat(completion.path("stages").get(1).path("state").asString()).isEqualTo("SUCCEEDED");
        await().until(() -> journal.all().isEmpty());
    }

    @Test
    void heartbeatsTellInventoryWorkloadsAndWhatRuns() throws Exception {
        service.up();
        startAgent(journal);
        service.offer(operation, "SAVE", save("suspend"));
        work.entered.await();

        await().until(() -> service.heartbeat() != null
                && !service.heartbeat().path("runningOperations").isEmpty());
        JsonNode heartbeat = service.heartbeat();
        assertThat(heartbeat.path("inventory").path("os").asString()).isEqualTo("Linux");
        assertThat(heartbeat.path("workloads").get(0).path("name").asString()).isEqualTo("llm");
        assertThat(heartbeat
                        .path("runningOperations")
                        .get(0)
                        .path("operationId")
                        .asString())
                .isEqualTo(operation.toString());
    }

    @Test
    void whatEndsWhileTheInventoryIsTakenIsStillNamedBesideIt() throws Exception {
        // given
        service.up();
        startAgent(journal);
        service.offer(operation, "SAVE", save("suspend"));
        work.entered.await();

        // when it ends after the look at what it changes may have been taken
        CompletableFuture<Integer> before = new CompletableFuture<>();
        work.duringInventory = () -> {
            work.proceed.countDown();
            await().until(() -> agent.heldOperations() == 0);
            before.complete(service.heartbeats().size());
        };

        // then that report does not say that nothing was at it
        int index = before.get();
        await().until(() -> service.heartbeats().size() > index);
        assertThat(service.heartbeats()
                        .get(index)
                        .at("/runningOperations/0/operationId")
                        .asString())
                .isEqualTo(operation.toString());
    }

    @Test
    void aWorkloadThatCameBackElsewhereIsEnded() throws Exception {
        service.up();
        service.isElsewhere(7, 70);

        startAgent(journal);

        await().until(() -> work.ended.contains("7/70"));
    }

    @Test
    void aPodThatNothingIsThawedIntoAnyMoreStartsCold() throws Exception {
        service.up();
        service.startsCold("a-pod");

        startAgent(journal);

        await().until(() -> work.startedCold.contains("a-pod"));
    }

    @Test
    void aServiceThatComesLaterIsFound() throws Exception {
        startAgent(journal);
        await().until(() -> agent.connection() == ConnectionState.UNREACHABLE);

        service.up();

        await().until(() -> agent.connection() == ConnectionState.CONNECTED);
        assertThat(agent.recovered()).isTrue();
    }

    @Test
    void aWrongTokenIsToldFromAServiceThatIsDown() throws Exception {
        service.up();
        agent = new Agent(
                new AgentIdentity("node-1", "test"),
                new NodeApiClient(service.uri()),
                "wrong",
                journal,
                work,
                StageListener.NONE,
                2,
                FAST);
        agent.start();
        await().until(() -> agent.connection() == ConnectionState.REFUSED);
    }

    @Test
    void aForgottenSessionIsReplacedAndWorkGoesOn() throws Exception {
        service.up();
        startAgent(journal);
        service.offer(operation, "SAVE", save("suspend"));
        work.entered.await();

        service.forgetSession();
        await().until(() -> service.registrations() == 2);
        work.proceed.countDown();

        assertThat(awaitCompletion(operation).path("outcome").asString()).isEqualTo("SUCCEEDED");
        assertThat(work.runs).hasValue(1);
    }

    @Test
    void aCancelRequestIsHonouredAtTheNextSafePoint() throws Exception {
        service.up();
        startAgent(journal);
        service.offer(operation, "SAVE", save("suspend"));
        work.entered.await();

        service.requestCancel(operation);

        assertThat(awaitCompletion(operation).path("outcome").asString()).isEqualTo("CANCELLED");
        assertThat(work.undone).hasValue(1);
    }

    @Test
    void aFencedOperationIsUndoneAndNothingIsReported() throws Exception {
        service.up();
        startAgent(journal);
        service.offer(operation, "SAVE", save("suspend"));
        work.entered.await();

        service.fence(operation);

        await().until(() -> work.undone.get() == 1 && journal.all().isEmpty());
        assertThat(service.completion(operation)).isNull();
    }

    @Test
    void withoutContactUntilTheLeaseIsOverTheDaemonCancelsItself() throws Exception {
        service.leaseSeconds = 1;
        service.up();
        startAgent(journal);
        service.offer(operation, "SAVE", save("suspend"));
        work.entered.await();

        service.down();
        await().until(() -> work.undone.get() == 1);

        service.up();
        JsonNode completion = awaitCompletion(operation);
        assertThat(completion.path("outcome").asString()).isEqualTo("FAILED");
        assertThat(completion.path("failure").path("code").asString()).isEqualTo("LEASE_LOST");
        assertThat(completion.path("failure").path("retryable").asBoolean()).isTrue();
    }

    @Test
    void pastThePointOfNoReturnItFinishesAndReportsWhenTheServiceIsBack() throws Exception {
        work.pointOfNoReturn = true;
        service.leaseSeconds = 1;
        service.up();
        startAgent(journal);
        service.offer(operation, "SAVE", save("suspend"));
        work.entered.await();

        service.down();
        await().until(() -> agent.connection() == ConnectionState.UNREACHABLE);
        Thread.sleep(1200); // the lease of one second is certainly over now
        work.proceed.countDown();
        await().until(() -> journal.unfinished().isEmpty());
        assertThat(journal.all()).hasSize(1);

        service.up();
        assertThat(awaitCompletion(operation).path("outcome").asString()).isEqualTo("SUCCEEDED");
        assertThat(work.undone).hasValue(0);
    }

    @Test
    void anOutcomeThatCameTooLateIsReportedWhenTheOperationIsClaimedAgainAndNotRepeated() throws Exception {
        work.pointOfNoReturn = true;
        service.up();
        startAgent(journal);
        service.offer(operation, "SAVE", save("suspend"));
        work.entered.await();
        service.fence(operation);
        work.proceed.countDown();
        await().until(() -> journal.all().size() == 1
                && journal.all().getFirst().recall(Unwanted.class).isPresent()
                && agent.heldOperations() == 0);

        long epoch = service.offer(operation, "SAVE", save("suspend"));

        JsonNode completion = awaitCompletion(operation);
        assertThat(completion.path("outcome").asString()).isEqualTo("SUCCEEDED");
        assertThat(completion.path("epoch").asLong()).isEqualTo(epoch);
        assertThat(work.runs).hasValue(1);
        await().until(() -> journal.all().isEmpty());
    }

    @Test
    void theSameOperationClaimedAgainWhileItRunsTakesEffectOnceUnderTheNewEpoch() throws Exception {
        service.up();
        startAgent(journal);
        service.offer(operation, "SAVE", save("suspend"));
        work.entered.await();

        long epoch = service.offer(operation, "SAVE", save("suspend"));
        await().until(service::nothingToHandOut);
        work.proceed.countDown();

        JsonNode completion = awaitCompletion(operation);
        assertThat(completion.path("epoch").asLong()).isEqualTo(epoch);
        assertThat(completion.path("outcome").asString()).isEqualTo("SUCCEEDED");
        // Either it went on, or a report of the old epoch was refused first and it was undone and done again.
        assertThat(work.runs.get() - work.undone.get()).isEqualTo(1);
    }

    @Test
    void whatAKilledDaemonLeftIsUndoneWithoutTheServiceAndReportedLater() throws Exception {
        Path left = journalOfADaemonKilledInWork();
        ToyWork next = new ToyWork();
        Journal found = Journal.open(left, FACTS);
        agent = newAgent(found, next);

        service.down();
        agent.start();
        await().until(agent::recovered);
        assertThat(next.undone).hasValue(1);
        assertThat(next.runs).hasValue(0);
        assertThat(next.undoneAtRecovery).hasValue(1);

        service.up();
        JsonNode completion = awaitCompletion(operation);
        assertThat(completion.path("outcome").asString()).isEqualTo("FAILED");
        assertThat(completion.path("failure").path("code").asString()).isEqualTo("DAEMON_RESTARTED");
        await().until(() -> found.all().isEmpty());
    }

    @Test
    void whatAKilledDaemonHadClaimedButNotBegunIsReportedAndNotRun() throws Exception {
        UUID waiting = UUID.randomUUID();
        service.up();
        startAgent(journal);
        service.offer(operation, "SAVE", save("suspend"));
        work.entered.await();
        service.offer(waiting, "SAVE", save("suspend"));
        await().until(() -> journal.find(new OperationId(waiting)).isPresent());
        Path left = killDaemon(operation, waiting);
        ToyWork next = new ToyWork();
        next.proceed.countDown();
        agent = newAgent(Journal.open(left, FACTS), next);

        agent.start();

        JsonNode completion = awaitCompletion(waiting);
        assertThat(completion.path("outcome").asString()).isEqualTo("FAILED");
        assertThat(completion.path("epoch").asLong()).isEqualTo(1);
        assertThat(completion.path("failure").path("code").asString()).isEqualTo("DAEMON_RESTARTED");
        assertThat(completion.path("failure").path("detail").asString()).contains("before this operation began");
        assertThat(next.runs).hasValue(0);
        assertThat(next.undone).hasValue(1);
    }

    @Test
    void whatAKilledDaemonLeftInARepeatableStageIsFinished() throws Exception {
        Path left = journalOfADaemonKilledInWork();
        ToyWork next = new ToyWork();
        next.onRestart = OnRestart.RERUN;
        next.proceed.countDown();
        agent = newAgent(Journal.open(left, FACTS), next);

        agent.start();

        assertThat(awaitCompletion(operation).path("outcome").asString()).isEqualTo("SUCCEEDED");
        assertThat(next.runs).hasValue(1);
    }

    @Test
    void stoppingUndoesWhatRunsAndSaysSo() throws Exception {
        service.up();
        startAgent(journal);
        service.offer(operation, "SAVE", save("suspend"));
        work.entered.await();

        agent.stop(Duration.ofSeconds(10));

        JsonNode completion = service.completion(operation);
        assertThat(completion).isNotNull();
        assertThat(completion.path("outcome").asString()).isEqualTo("FAILED");
        assertThat(completion.path("failure").path("code").asString()).isEqualTo("DAEMON_RESTARTED");
        assertThat(work.undone).hasValue(1);
        assertThat(journal.all()).isEmpty();
    }

    @Test
    void savesWaitForEachOtherWhileVerificationDoesNotWait() throws Exception {
        UUID second = UUID.randomUUID();
        UUID verification = UUID.randomUUID();
        service.up();
        startAgent(journal);
        service.offer(operation, "SAVE", save("suspend"));
        work.entered.await();
        service.offer(second, "SAVE", save("suspend"));
        service.offer(verification, "VERIFY", Map.of("snapshotId", UUID.randomUUID()));
        await().until(() -> work.runs.get() == 2 && service.nothingToHandOut());
        work.proceed.countDown();

        awaitCompletion(operation);
        awaitCompletion(second);
        awaitCompletion(verification);
        assertThat(work.mostAtOnce).hasValue(2);
    }

    @Test
    void workOnDifferentGpusGoesOnSideBySide() throws Exception {
        UUID second = UUID.randomUUID();
        work.gpus.put(new OperationId(operation), Set.of("GPU-0"));
        work.gpus.put(new OperationId(second), Set.of("GPU-1"));
        service.up();
        startAgent(journal);
        service.offer(operation, "THAW", thaw());
        service.offer(second, "THAW", thaw());
        await().until(() -> work.atOnce.get() == 2);
        work.proceed.countDown();

        awaitCompletion(operation);
        awaitCompletion(second);
    }

    @Test
    void aMoveIsTakenHoweverManyScrubsWait() throws Exception {
        service.up();
        startAgent(journal);
        for (int i = 0; i < 3; i++) {
            service.offer(
                    UUID.randomUUID(),
                    "SCRUB",
                    Map.of(
                            "tier",
                            Map.of("name", "nvme"),
                            "snapshots",
                            List.of(),
                            "maxBytesPerSecond",
                            0,
                            "priority",
                            "BACKGROUND"));
        }
        await().until(() -> work.atOnce.get() == 1);
        service.offer(
                operation,
                "EVICT",
                Map.of("snapshotId", UUID.randomUUID(), "tier", Map.of("name", "nvme"), "priority", "URGENT"));
        await().until(() -> work.atOnce.get() == 2);
        work.proceed.countDown();
        awaitCompletion(operation);
    }

    @Test
    void aRequestThatCannotBePlannedFailsWithItsReason() throws Exception {
        service.up();
        startAgent(journal);
        service.offer(operation, "SAVE", save("unknown"));

        JsonNode failure = awaitCompletion(operation).path("failure");
        assertThat(failure.path("code").asString()).isEqualTo("CAPABILITY_MISSING");
        assertThat(failure.path("stage").asString()).isEqualTo("preflight");
        assertThat(work.runs).hasValue(0);
    }

    @Test
    void aSwitchThatPreemptsEndsTheThawThatRuns() throws Exception {
        // given
        UUID second = UUID.randomUUID();
        service.up();
        startAgent(journal);
        service.offer(operation, "THAW", thaw());
        work.entered.await();
        // when
        service.offer(
                second,
                "SWITCH",
                Map.of(
                        "snapshotId",
                        UUID.randomUUID(),
                        "policy",
                        "EVICT_IF_NEEDED",
                        "candidates",
                        List.of(),
                        "preempt",
                        true));
        // then
        JsonNode preempted = awaitCompletion(operation);
        assertThat(preempted.path("outcome").asString()).isEqualTo("FAILED");
        assertThat(preempted.at("/failure/code").asString()).isEqualTo("PREEMPTED");
        assertThat(preempted.at("/failure/retryable").asBoolean()).isTrue();
        await().until(() -> work.runs.get() == 2);
        assertThat(work.undone).hasValue(1);
        work.proceed.countDown();
        assertThat(awaitCompletion(second).path("outcome").asString()).isEqualTo("SUCCEEDED");
        assertThat(work.mostAtOnce).hasValue(1);
    }

    private void startAgent(Journal over) {
        agent = newAgent(over, work);
        agent.start();
    }

    private Agent newAgent(Journal over, NodeWork node) {
        return new Agent(
                new AgentIdentity("node-1", "test"),
                new NodeApiClient(service.uri()),
                FakeService.ACCESS_TOKEN,
                over,
                node,
                StageListener.NONE,
                3,
                FAST);
    }

    private Path journalOfADaemonKilledInWork() throws Exception {
        service.up();
        startAgent(journal);
        service.offer(operation, "SAVE", save("suspend"));
        work.entered.await();
        return killDaemon(operation);
    }

    /** A copy of the journal taken while the work runs is what a SIGKILL at this moment leaves. */
    private Path killDaemon(UUID... known) throws Exception {
        Path copy = copyTree(folder.resolve("journal"), folder.resolve("left"));
        for (UUID one : known) {
            service.requestCancel(one);
        }
        for (UUID one : known) {
            awaitCompletion(one);
        }
        agent.stop(Duration.ofSeconds(5));
        service.close();
        service = new FakeService();
        for (UUID one : known) {
            service.knows(one, 1);
        }
        service.up();
        return copy;
    }

    private static Path copyTree(Path from, Path to) throws IOException {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(from)) {
            all = walk.toList();
        }
        for (Path path : all) {
            Files.copy(path, to.resolve(from.relativize(path).toString()));
        }
        return to;
    }

    private JsonNode awaitCompletion(UUID id) {
        await().until(() -> service.completion(id) != null);
        return service.completion(id);
    }

    private static Map<String, Object> save(String engine) {
        return Map.of(
                "snapshotId",
                UUID.randomUUID(),
                "engine",
                engine,
                "workload",
                Map.of("pid", 7, "startTimeTicks", 70, "name", "llm"),
                "afterSave",
                "KEEP_RUNNING",
                "facts",
                Map.of());
    }

    private static Map<String, Object> thaw() {
        return Map.of(
                "snapshotId",
                UUID.randomUUID(),
                "engine",
                "suspend",
                "manifestDigest",
                "ab",
                "gpuRemap",
                Map.of("0", "GPU-1"));
    }
}
