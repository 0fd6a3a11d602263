package io.gpusnap.service.kubernetes.testing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.springframework.test.context.junit.jupiter.SpringExtension;

/** Whatever a test has the service call of the API server, its roles allow: whichever tests ran before, and in which order. */
final class AllowedCalls implements AfterEachCallback {
    @Override
    public void afterEach(ExtensionContext context) {
        assertThat(SpringExtension.getApplicationContext(context)
                        .getBean(RecordedCalls.class)
                        .notAllowed())
                .as("called, up to this test, without a line in KubernetesCalls: the service's role would not allow it")
                .isEmpty();
    }
}
