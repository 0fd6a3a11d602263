package io.gpusnap.service.kubernetes.testing;

import io.gpusnap.service.kubernetes.admission.InstalledWebhook;
import io.gpusnap.service.testing.ServiceTest;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.context.annotation.Import;
import org.springframework.test.context.TestPropertySource;

/** Runs a test against the whole service with a cluster: {@link ClusterUnderTest}. All such tests share one service. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ServiceTest
@ExtendWith(AllowedCalls.class)
@Import({ClusterUnderTest.class, InstalledWebhook.class})
@TestPropertySource(
        properties = {
            // of the daemons that are real
            "gpusnap.nodes.heartbeat-interval=1s",
            "gpusnap.kubernetes.enabled=true",
            "gpusnap.kubernetes.namespace=" + ClusterUnderTest.SYSTEM,
            // nothing waits for its end; on a machine that is slow it must not end by itself
            "gpusnap.kubernetes.lease=9s",
            "gpusnap.kubernetes.follow-interval=100ms",
            "gpusnap.kubernetes.scan-interval=1s",
            "gpusnap.kubernetes.retry-most=2s",
            "gpusnap.kubernetes.archive.claim=" + ClusterUnderTest.CLAIM,
            "gpusnap.kubernetes.archive.keep=2",
            "gpusnap.kubernetes.webhook.address=127.0.0.1",
            "gpusnap.kubernetes.webhook.port=0",
            "gpusnap.kubernetes.webhook.hosts=127.0.0.1,localhost",
            "gpusnap.kubernetes.webhook.configuration=" + ClusterUnderTest.WEBHOOK
        })
public @interface KubernetesTest {}
