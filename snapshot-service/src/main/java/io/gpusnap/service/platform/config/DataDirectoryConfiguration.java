package io.gpusnap.service.platform.config;

import java.nio.file.Path;
import java.util.List;
import javax.sql.DataSource;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.boot.autoconfigure.AbstractDependsOnBeanFactoryPostProcessor;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

@Configuration(proxyBeanMethods = false)
class DataDirectoryConfiguration {
    private static final String START_GATE = "startGate";

    @Bean
    SettingNames settingNames(Environment environment, ListableBeanFactory beans) {
        return new SettingNames(environment, beans);
    }

    /** After the names: with a misspelt {@code data-dir} another folder would be made. */
    @Bean
    DataDirectory dataDirectory(Environment environment, SettingNames names) {
        String folder = environment.getProperty(DataDirectory.PROPERTY, "data");
        if (folder.isBlank()) {
            throw new BadConfigurationException(DataDirectory.PROPERTY, "must name a folder");
        }
        return DataDirectory.open(Path.of(folder));
    }

    @Bean(START_GATE)
    StartGate startGate(ListableBeanFactory beans, DataDirectory directory, List<StartCheck> checks) {
        return new StartGate(beans, checks);
    }

    @Bean
    static BeanFactoryPostProcessor databaseAfterStartGate() {
        return new DependsOnStartGate(DataSource.class);
    }

    @Bean
    static BeanFactoryPostProcessor connectionDetailsAfterStartGate() {
        return new DependsOnStartGate(JdbcConnectionDetails.class);
    }

    private static final class DependsOnStartGate extends AbstractDependsOnBeanFactoryPostProcessor {
        DependsOnStartGate(Class<?> type) {
            super(type, START_GATE);
        }
    }
}
