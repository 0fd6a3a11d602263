package io.gpusnap.service.platform.idempotency;

/**
 * The Idempotency-Key of a create, and the request that it stands for. A controller that takes one as a parameter
 * answers 400 without it.
 *
 * @param value the key without its quotes
 * @param target method and path of the request
 */
public record IdempotencyKey(String value, String target) {}
