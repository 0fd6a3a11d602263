package io.gpusnap.service.platform.problem;

import org.springframework.http.HttpStatusCode;
import org.springframework.web.HttpMediaTypeNotSupportedException;
import org.springframework.web.HttpRequestMethodNotSupportedException;
import org.springframework.web.context.request.WebRequest;

/** Codes and words for what HTTP itself refuses, before any feature sees the request. */
final class HttpErrors {
    private HttpErrors() {}

    static ErrorCode codeOf(HttpStatusCode status) {
        return switch (status.value()) {
            case 401 -> ErrorCode.UNAUTHENTICATED;
            case 403 -> ErrorCode.FORBIDDEN;
            case 404 -> ErrorCode.NOT_FOUND;
            case 405 -> ErrorCode.METHOD_NOT_ALLOWED;
            case 406 -> ErrorCode.NOT_ACCEPTABLE;
            case 408 -> ErrorCode.REQUEST_TIMEOUT;
            case 413 -> ErrorCode.PAYLOAD_TOO_LARGE;
            case 415 -> ErrorCode.UNSUPPORTED_MEDIA_TYPE;
            case 503 -> ErrorCode.SHUTTING_DOWN;
            default -> status.is4xxClientError() ? ErrorCode.INVALID_REQUEST : ErrorCode.INTERNAL;
        };
    }

    static String detailOf(Exception e, ErrorCode code, WebRequest request) {
        return switch (e) {
            case HttpRequestMethodNotSupportedException method ->
                method.getMethod() + " is not possible here; see the Allow header.";
            case HttpMediaTypeNotSupportedException media ->
                media.getContentType() == null
                        ? "Content-Type is missing; send application/json."
                        : "Content-Type " + media.getContentType() + " is not taken; send application/json.";
            default -> code.title() + ".";
        };
    }
}
