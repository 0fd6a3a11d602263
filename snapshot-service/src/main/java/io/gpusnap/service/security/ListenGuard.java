package io.gpusnap.service.security;

import io.gpusnap.service.platform.config.BadConfigurationException;
import io.gpusnap.service.platform.config.StartCheck;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;
import org.springframework.stereotype.Component;

/** Keeps the service on loopback unless somebody decided otherwise. */
@Component
@Order(0)
class ListenGuard implements StartCheck {
    private static final Logger LOG = LoggerFactory.getLogger(ListenGuard.class);

    private final Environment environment;
    private final SecuritySettings settings;

    ListenGuard(Environment environment, SecuritySettings settings) {
        this.environment = environment;
        this.settings = settings;
    }

    @Override
    public void check() {
        check("server.address", "server.ssl");
        if (environment.getProperty("management.server.port") != null) {
            // without settings of its own it has those of the service
            check(
                    "management.server.address",
                    Tls.isSet(environment, "management.server.ssl") ? "management.server.ssl" : "server.ssl");
        }
    }

    private void check(String property, String ssl) {
        String address = environment.getProperty(property);
        if (isLoopback(property, address)) {
            return;
        }
        if (!settings.allowRemote()) {
            throw new BadConfigurationException(
                    property,
                    (address == null || address.isBlank() ? "(empty)" : address)
                            + " is reachable from other machines; set gpusnap.security.allow-remote=true if that is meant");
        }
        if (!Tls.isOn(environment, ssl)) {
            LOG.warn(
                    "{} is reachable from other machines without TLS: tokens can be read on the way ({}.*)",
                    property,
                    ssl);
        }
    }

    private static boolean isLoopback(String property, @Nullable String address) {
        if (address == null || address.isBlank()) {
            return false;
        }
        try {
            return InetAddress.getByName(address).isLoopbackAddress();
        } catch (UnknownHostException e) {
            throw new BadConfigurationException(property, "'" + address + "' is no address of this machine");
        }
    }
}
