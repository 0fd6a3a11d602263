package io.gpusnap.service;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.data.autoconfigure.metrics.DataRepositoryMetricsAutoConfiguration;
import org.springframework.boot.data.autoconfigure.web.DataWebAutoConfiguration;
import org.springframework.boot.micrometer.observation.autoconfigure.ScheduledTasksObservationAutoConfiguration;
import org.springframework.boot.security.autoconfigure.UserDetailsServiceAutoConfiguration;
import org.springframework.boot.servlet.autoconfigure.MultipartAutoConfiguration;
import org.springframework.scheduling.annotation.EnableScheduling;

/**
 * The control plane: one process, its database beside it. With a command's name as first argument it runs that command
 * instead, and neither listens nor looks for a database.
 */
@SpringBootApplication(
        exclude = {
            // callers have tokens, no user names
            UserDetailsServiceAutoConfiguration.class,
            // nothing takes uploads or Spring Data's paging parameters; each costs time at the start
            MultipartAutoConfiguration.class,
            DataWebAutoConfiguration.class,
            DataRepositoryMetricsAutoConfiguration.class,
            ScheduledTasksObservationAutoConfiguration.class
        })
@EnableScheduling
public class ServiceApplication {
    public static void main(String[] arguments) {
        if (!Commands.run(arguments)) {
            SpringApplication.run(ServiceApplication.class, arguments);
        }
    }
}
