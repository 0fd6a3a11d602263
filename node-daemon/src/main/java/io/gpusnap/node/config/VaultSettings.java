package io.gpusnap.node.config;

import java.net.URI;
import java.time.Duration;

/**
 * A key of a key management service that speaks the API of Vault's transit engine.
 *
 * @param tokenSource a file's path, or {@code env:NAME}: what is there now is what counts
 */
public record VaultSettings(URI address, String mount, String key, String tokenSource, Duration timeout) {}
