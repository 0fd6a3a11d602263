package io.gpusnap.service.platform.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;

class JobsAtTheEndTest {
    @EnableScheduling
    static class Job {
        private final CountDownLatch runs = new CountDownLatch(1);
        private final CountDownLatch mayEnd = new CountDownLatch(1);
        private final AtomicInteger begun = new AtomicInteger();
        private final AtomicInteger ended = new AtomicInteger();

        @Scheduled(fixedDelay = 1)
        void run() throws InterruptedException {
            begun.incrementAndGet();
            runs.countDown();
            mayEnd.await();
            ended.incrementAndGet();
        }
    }

    @Test
    void theEndWaitsForARoundThatRunsAndNoneBeginsAfterIt() throws InterruptedException {
        // given a job in the middle of a round
        AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
        context.registerBean(SimpleMeterRegistry.class);
        context.register(JobConfiguration.class, Job.class);
        context.refresh();
        Job job = context.getBean(Job.class);
        job.runs.await();

        // when the service is to end
        Thread end = Thread.ofPlatform().start(context::close);
        await().until(() -> end.getState() == Thread.State.TIMED_WAITING || end.getState() == Thread.State.WAITING);

        // then it has not ended, before the round has
        assertThat(end.isAlive()).isTrue();
        assertThat(job.ended).hasValue(0);
        job.mayEnd.countDown();
        end.join();
        assertThat(job.ended).hasValue(1);
        assertThat(job.begun).hasValue(1);
    }
}
