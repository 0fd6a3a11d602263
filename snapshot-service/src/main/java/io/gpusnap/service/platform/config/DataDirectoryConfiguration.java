package io.gpusnap.service.platform.config;

import java.nio.file.Path;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

@Configuration(proxyBeanMethods = false)
class DataDirectoryConfiguration {
    @Bean
    DataDirectory dataDirectory(Environment environment) {
        String folder = environment.getProperty(DataDirectory.PROPERTY, "data");
        if (folder.isBlank()) {
            throw new BadConfigurationException(DataDirectory.PROPERTY, "must name a folder");
        }
        return DataDirectory.open(Path.of(folder));
    }
}
