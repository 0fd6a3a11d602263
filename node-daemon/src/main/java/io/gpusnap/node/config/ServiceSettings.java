package io.gpusnap.node.config;

import java.net.URI;

/** How to reach the service. */
public record ServiceSettings(URI url, SecretToken token) {}
