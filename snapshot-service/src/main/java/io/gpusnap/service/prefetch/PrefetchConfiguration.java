package io.gpusnap.service.prefetch;

import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Configuration;

@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(PrefetchSettings.class)
class PrefetchConfiguration {}
