package io.gpusnap.service.schedule;

import io.gpusnap.service.schedule.core.FairScheduler;
import io.gpusnap.service.schedule.core.Rules;
import io.gpusnap.service.schedule.core.Scheduler;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(ScheduleSettings.class)
class ScheduleConfiguration {
    @Bean
    Scheduler poolScheduler(ScheduleSettings settings) {
        return new FairScheduler(new Rules(settings.aging().toMillis() / 1000.0, settings.maxActions()));
    }
}
