package io.gpusnap.service.platform.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.ServiceTest;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.scheduling.config.ScheduledTask;
import org.springframework.scheduling.config.ScheduledTaskHolder;

@ServiceTest
class JobsTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private DataSource database;

    @Autowired
    private ThreadPoolTaskScheduler scheduler;

    @Autowired
    private List<ScheduledTaskHolder> holders;

    private List<ScheduledTask> jobs() {
        return holders.stream()
                .flatMap(holder -> holder.getScheduledTasks().stream())
                .toList();
    }

    private Instant lastRound(String job) {
        return jobs().stream()
                .map(ScheduledTask::getTask)
                .filter(task -> task.toString().endsWith("." + job))
                .map(task -> Optional.ofNullable(task.getLastExecutionOutcome().executionTime()))
                .findFirst()
                .orElseThrow()
                .orElse(Instant.EPOCH);
    }

    private boolean somebodyWaitsFor(String table) {
        return jdbc.sql("""
                        SELECT EXISTS (SELECT 1 FROM pg_locks l
                                        WHERE NOT l.granted AND l.relation = CAST(:table AS regclass)
                                          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
                        """).param("table", table).query(Boolean.class).single();
    }

    /** Jobs in the middle of a round, as the meters tell. */
    private List<String> running() {
        return meters().filter(meter -> Double.parseDouble(meter.group(2)) > 0)
                .map(meter -> meter.group(1))
                .toList();
    }

    private Stream<MatchResult> meters() {
        return Pattern.compile("^gpusnap_job_running_seconds\\{[^}]*task=\"([^\"]+)\"[^}]*} (\\S+)$", Pattern.MULTILINE)
                .matcher(api.get("/actuator/prometheus").expect(200).text())
                .results();
    }

    @Test
    void aJobThatWaitsForALockHoldsUpNoOtherAndIsSeen() throws SQLException {
        // given rollouts that somebody has locked
        try (Connection somebody = database.getConnection();
                Statement statement = somebody.createStatement()) {
            somebody.setAutoCommit(false);
            try {
                statement.execute("LOCK TABLE rollout IN ACCESS EXCLUSIVE MODE");
                await().atMost(PATIENCE).untilAsserted(() -> {
                    assertThat(somebodyWaitsFor("rollout")).isTrue();
                    assertThat(running()).contains("RolloutLoop.moveOn");
                });

                // then silent nodes and operations without an end are looked for all the same
                for (String other : List.of("SilenceWatch.look", "OperationReaper.endUsedUp")) {
                    Instant before = lastRound(other);
                    await().atMost(PATIENCE)
                            .untilAsserted(() -> assertThat(lastRound(other)).isAfter(before));
                }
                assertThat(somebodyWaitsFor("rollout")).isTrue();
            } finally {
                somebody.rollback();
            }
        }

        // and the job ends, and begins anew
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(running()).doesNotContain("RolloutLoop.moveOn"));
    }

    @Test
    void thereIsAThreadForEachJob() {
        assertThat(jobs())
                .hasSizeGreaterThan(20)
                .hasSizeLessThanOrEqualTo(
                        scheduler.getScheduledThreadPoolExecutor().getCorePoolSize());
    }

    @Test
    void eachJobHasAMeterOfItsOwn() {
        assertThat(meters().map(meter -> meter.group(1)))
                .hasSameSizeAs(jobs())
                .doesNotHaveDuplicates()
                .contains("SilenceWatch.look");
    }
}
