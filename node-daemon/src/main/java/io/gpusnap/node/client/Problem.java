package io.gpusnap.node.client;

import org.jspecify.annotations.Nullable;

/** What the service says of a refusal (RFC 9457). */
record Problem(
        @Nullable String title,
        int status,
        @Nullable String detail,
        @Nullable String code) {

    String text() {
        String what = detail != null ? detail : title != null ? title : "no reason given";
        return "HTTP " + status + (code == null ? "" : " " + code) + ": " + what;
    }
}
