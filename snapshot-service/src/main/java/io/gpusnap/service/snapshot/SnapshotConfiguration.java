package io.gpusnap.service.snapshot;

import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Configuration;

@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({DeletionSettings.class, MoveSettings.class, ScrubSettings.class})
class SnapshotConfiguration {}
