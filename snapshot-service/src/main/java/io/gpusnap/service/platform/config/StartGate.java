package io.gpusnap.service.platform.config;

import java.util.List;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * Stands before the database: it binds every settings record of ours and runs every {@link StartCheck}, so that a wrong
 * setting is told at once and not after a database was made and migrated.
 */
final class StartGate {
    private static final String OURS = "io.gpusnap.";

    StartGate(ListableBeanFactory beans, List<StartCheck> checks) {
        for (String name : beans.getBeanNamesForAnnotation(ConfigurationProperties.class)) {
            Class<?> type = beans.getType(name);
            if (type != null && type.getName().startsWith(OURS)) {
                beans.getBean(name);
            }
        }
        checks.forEach(StartCheck::check);
    }
}
