package io.gpusnap.service.testing;

import io.gpusnap.service.ServiceApplication;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Import;
import org.springframework.test.context.ContextConfiguration;

/**
 * Runs a test against the whole service on a real PostgreSQL, over HTTP. All such tests share one service, so each makes
 * names and nodes of its own. Leases are longer than a busy machine stands still; nodes are never found silent by themselves.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@SpringBootTest(
        classes = ServiceApplication.class,
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "gpusnap.nodes.lease=15s",
            "gpusnap.nodes.poll=5s",
            "gpusnap.nodes.grace=1h",
            "gpusnap.nodes.lost-after=2h",
            "gpusnap.operations.check-interval=200ms",
            "gpusnap.rollouts.check-interval=100ms",
            "gpusnap.recovery.check-interval=100ms",
            "gpusnap.policies.interval=1h",
            "gpusnap.prefetch.check-interval=1h",
            "gpusnap.sweeps.check-interval=1h",
            "gpusnap.scrubs.check-interval=1h",
            "gpusnap.deletions.check-interval=1h",
            "gpusnap.scaler.enabled=true",
            "gpusnap.scaler.port=0",
            "gpusnap.scaler.recheck=10m",
            "gpusnap.requests.max-body=64KB",
            "server.tomcat.connection-timeout=2s",
            "server.tomcat.keep-alive-timeout=60s",
            "gpusnap.idempotency.in-flight-limit=2s",
            "spring.datasource.hikari.maximum-pool-size=10"
        })
@ContextConfiguration(initializers = TestDataDirectory.class)
@Import(TestBeans.class)
public @interface ServiceTest {}
