package io.gpusnap.service.platform.config;

import java.util.ArrayList;
import java.util.List;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.boot.context.properties.source.UnboundElementsSourceFilter;
import org.springframework.core.env.Environment;

/**
 * Refuses names under {@code gpusnap} that no settings record has: a misspelt one would be without effect. Those under a
 * record's prefix the record refuses itself. As there, the environment and system properties are left alone, in which
 * names of other programs may stand.
 */
final class SettingNames {
    private static final ConfigurationPropertyName OURS = ConfigurationPropertyName.of("gpusnap");

    SettingNames(Environment environment, ListableBeanFactory beans) {
        List<ConfigurationPropertyName> prefixes = prefixes(beans);
        UnboundElementsSourceFilter filter = new UnboundElementsSourceFilter();
        for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
            if (filter.apply(source) && source instanceof IterableConfigurationPropertySource iterable) {
                iterable.stream()
                        .filter(OURS::isAncestorOf)
                        .filter(name -> !isKnown(name, prefixes))
                        .findFirst()
                        .ifPresent(name -> {
                            throw new BadConfigurationException(name.toString(), "there is no such setting");
                        });
            }
        }
    }

    private static boolean isKnown(ConfigurationPropertyName name, List<ConfigurationPropertyName> prefixes) {
        return name.equals(ConfigurationPropertyName.of(DataDirectory.PROPERTY))
                || prefixes.stream().anyMatch(prefix -> prefix.isAncestorOf(name));
    }

    private static List<ConfigurationPropertyName> prefixes(ListableBeanFactory beans) {
        List<ConfigurationPropertyName> prefixes = new ArrayList<>();
        for (String bean : beans.getBeanNamesForAnnotation(ConfigurationProperties.class)) {
            ConfigurationProperties settings = beans.findAnnotationOnBean(bean, ConfigurationProperties.class);
            if (settings != null) {
                ConfigurationPropertyName prefix = ConfigurationPropertyName.of(settings.prefix());
                if (OURS.isParentOf(prefix)) {
                    prefixes.add(prefix);
                }
            }
        }
        return prefixes;
    }
}
