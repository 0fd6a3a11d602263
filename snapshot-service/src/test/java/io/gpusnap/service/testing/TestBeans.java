package io.gpusnap.service.testing;

import io.gpusnap.service.platform.config.DataDirectory;
import io.gpusnap.service.platform.config.SecretFiles;
import java.io.IOException;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;
import org.springframework.context.annotation.Primary;
import org.springframework.core.env.Environment;

@TestConfiguration(proxyBeanMethods = false)
class TestBeans {
    @Bean
    @Primary
    TestOutlook testOutlook() {
        return new TestOutlook();
    }

    @Bean
    @Lazy // the port is known once the server runs
    Api api(Environment environment, DataDirectory directory) throws IOException {
        int port = environment.getRequiredProperty("local.server.port", Integer.class);
        return new Api("http://127.0.0.1:" + port, SecretFiles.read(directory.resolve("access-token")));
    }
}
