package io.gpusnap.service.kubernetes;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.http.Interceptor;
import io.gpusnap.service.platform.config.BadConfigurationException;
import java.nio.file.Files;
import java.util.List;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@Configuration(proxyBeanMethods = false)
@ConditionalOnBooleanProperty("gpusnap.kubernetes.enabled")
@EnableConfigurationProperties(KubernetesSettings.class)
class KubernetesConfiguration {
    private static final int REQUEST_MILLIS = 10_000;

    /** Tests bring a cluster of their own. */
    @Bean
    @ConditionalOnMissingBean
    Config clusterConfig(KubernetesSettings settings) {
        Config config;
        if (settings.kubeconfig() == null) {
            config = Config.autoConfigure(null);
        } else if (Files.isReadable(settings.kubeconfig())) {
            config = Config.fromKubeconfig(settings.kubeconfig().toFile());
        } else {
            throw new BadConfigurationException(
                    "gpusnap.kubernetes.kubeconfig", "must be a file that can be read, is " + settings.kubeconfig());
        }
        return new ConfigBuilder(config)
                .withRequestTimeout(REQUEST_MILLIS)
                // what fails is tried again by the operator's queue, later and later
                .withRequestRetryBackoffLimit(0)
                .build();
    }

    @Bean
    KubernetesClient kubernetesClient(Config config, List<Interceptor> observers) {
        return new KubernetesClientBuilder()
                .withConfig(config)
                .withHttpClientBuilderConsumer(http -> observers.forEach(observer ->
                        http.addOrReplaceInterceptor(observer.getClass().getName(), observer)))
                .build();
    }
}
