package io.gpusnap.service.platform.idempotency;

import org.jspecify.annotations.Nullable;

/**
 * What a create answers.
 *
 * @param status 201, or 202 when the work goes on as an operation
 * @param location path of what was made
 * @param etag of the body, where it has one
 */
public record Created<T>(
        int status, String location, @Nullable String etag, T body) {}
