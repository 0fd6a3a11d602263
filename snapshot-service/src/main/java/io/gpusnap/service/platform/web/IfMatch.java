package io.gpusnap.service.platform.web;

import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;

/**
 * The If-Match header of a change. A controller that takes one as a parameter answers 428 without it.
 *
 * @param header the header's value: one strong ETag, several, or {@code *}
 */
public record IfMatch(String header) {

    /**
     * Compares with the version that the resource has now.
     *
     * @throws ApiException PRECONDITION_FAILED if the resource's version is not the one that the caller saw
     */
    public void check(long version) {
        if (header.equals("*")) {
            return;
        }
        String current = ETags.of(version);
        for (String tag : header.split(",", -1)) {
            // Weak tags never match: If-Match compares strongly (RFC 9110, 13.1.1).
            if (tag.strip().equals(current)) {
                return;
            }
        }
        throw new ApiException(
                ErrorCode.PRECONDITION_FAILED,
                "The resource has ETag " + current + " now; If-Match says " + header + ".");
    }
}
