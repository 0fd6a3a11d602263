package io.gpusnap.service.platform.job;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.springframework.core.task.TaskDecorator;

/** For how long each job's round has gone on: one that waits for a lock holds up no other, so nothing else would tell. */
class JobMetrics implements TaskDecorator {
    static final String RUNNING = "gpusnap.job.running";
    private static final Pattern CLASS_AND_METHOD = Pattern.compile("(\\w+\\.\\w+)\\W*$");

    private final MeterRegistry registry;

    JobMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    /** Called once for each job, when it is scheduled. */
    @Override
    public Runnable decorate(Runnable job) {
        TimedJob timed = new TimedJob(job);
        TimeGauge.builder(RUNNING, timed::runningNanos, TimeUnit.NANOSECONDS)
                .tag("task", name(job.toString()))
                .description("For how long the round that runs has gone on; 0 between two")
                .register(registry);
        return timed;
    }

    /** The class and the method of a job, whose text ends with the full name of its method. */
    private static String name(String job) {
        Matcher matcher = CLASS_AND_METHOD.matcher(job);
        return matcher.find() ? matcher.group(1) : job;
    }

    private static final class TimedJob implements Runnable {
        private final Runnable job;
        private volatile OptionalLong sinceNanos = OptionalLong.empty();

        TimedJob(Runnable job) {
            this.job = job;
        }

        @Override
        public void run() {
            sinceNanos = OptionalLong.of(System.nanoTime());
            try {
                job.run();
            } finally {
                sinceNanos = OptionalLong.empty();
            }
        }

        long runningNanos() {
            OptionalLong since = sinceNanos;
            return since.isPresent() ? System.nanoTime() - since.getAsLong() : 0;
        }
    }
}
