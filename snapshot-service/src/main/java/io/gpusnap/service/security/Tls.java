package io.gpusnap.service.security;

import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.web.server.Ssl;
import org.springframework.core.env.Environment;

/** Whether the service speaks TLS, judged as the web server itself judges it: however the certificate is named. */
final class Tls {
    private Tls() {}

    /** @param prefix {@code server.ssl} or {@code management.server.ssl} */
    static boolean isOn(Environment environment, String prefix) {
        return Binder.get(environment)
                .bind(prefix, Ssl.class)
                .map(ssl -> ssl.isEnabled())
                .orElse(false);
    }

    /** Whether anything is said under the prefix at all. */
    static boolean isSet(Environment environment, String prefix) {
        return Binder.get(environment).bind(prefix, Ssl.class).isBound();
    }
}
