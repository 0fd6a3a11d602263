package io.gpusnap.bench;

import com.github.kagkarlsson.scheduler.Scheduler;
import com.github.kagkarlsson.scheduler.task.helper.OneTimeTask;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import javax.sql.DataSource;

/** The same database through db-scheduler's own polling (lock and fetch): what claims are measured beside. */
final class DbScheduler {
    private static final int THREADS = 16;
    private static final Duration POLLING = Duration.ofMillis(100);
    private static final int WARM_UP = 5;

    private final DataSource database;

    DbScheduler(DataSource database) throws SQLException {
        this.database = database;
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(Daemon.resource("db-scheduler.sql"));
        }
    }

    /** One-time tasks a second, from a full table. */
    double executionsPerSecond(int tasks, int seconds) throws SQLException, InterruptedException {
        LongAdder done = new LongAdder();
        OneTimeTask<Void> task = Tasks.oneTime("bench").execute((instance, context) -> done.increment());
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("""
                    INSERT INTO scheduled_tasks (task_name, task_instance, execution_time, picked, version)
                    SELECT 'bench', i::text, now() - interval '1 minute', false, 1 FROM generate_series(1, %d) i
                    """.formatted(tasks));
        }
        Scheduler scheduler = scheduler(task);
        scheduler.start();
        long began = System.nanoTime();
        while (done.sum() < tasks && System.nanoTime() - began < seconds * 1_000_000_000L) {
            Thread.sleep(20);
        }
        double rate = done.sum() / ((System.nanoTime() - began) / 1e9);
        scheduler.stop();
        return rate;
    }

    /** From the call that schedules a task for now to its execution. */
    Latencies latency(int count) throws InterruptedException {
        SynchronousQueue<Long> executed = new SynchronousQueue<>();
        OneTimeTask<Void> task = Tasks.oneTime("latency").execute((instance, context) -> hand(executed));
        Scheduler scheduler = scheduler(task);
        scheduler.start();
        double[] millis = new double[count];
        for (int i = -WARM_UP; i < count; i++) {
            Thread.sleep(37 + (i & 63));
            long began = System.nanoTime();
            scheduler.schedule(task.instance("l" + i), Instant.now());
            Long at = executed.poll(30, TimeUnit.SECONDS);
            if (at == null) {
                throw new IllegalStateException("db-scheduler did not execute the task within 30 s");
            }
            if (i >= 0) {
                millis[i] = (at - began) / 1e6;
            }
        }
        scheduler.stop();
        return Latencies.of(millis);
    }

    private static void hand(SynchronousQueue<Long> executed) {
        try {
            executed.put(System.nanoTime());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Scheduler scheduler(OneTimeTask<Void> task) {
        return Scheduler.create(database, task)
                .threads(THREADS)
                .pollingInterval(POLLING)
                .pollUsingLockAndFetch(0.5, 4.0)
                .build();
    }
}
