package io.gpusnap.service.platform.job;

import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;

/** A thread for each {@code @Scheduled} method: none waits for another, and none overlaps itself. */
@Configuration(proxyBeanMethods = false)
class JobConfiguration {
    /** At least as many as there are jobs, which a test counts. Virtual ones: those that wait cost next to nothing. */
    private static final int THREADS = 64;

    /**
     * What Spring Boot makes by itself where threads are virtual runs everything with a fixed delay in one thread. At the end no
     * round begins any more; those that run have {@code spring.lifecycle.timeout-per-shutdown-phase} and are interrupted then.
     */
    @Bean
    ThreadPoolTaskScheduler taskScheduler(MeterRegistry registry) {
        ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();
        scheduler.setPoolSize(THREADS);
        scheduler.setVirtualThreads(true);
        scheduler.setThreadNamePrefix("job-");
        scheduler.setTaskDecorator(new JobMetrics(registry));
        return scheduler;
    }
}
