package io.gpusnap.service.scaling;

import io.gpusnap.service.platform.config.BadConfigurationException;
import io.gpusnap.service.platform.config.StartCheck;
import io.gpusnap.service.security.SecuritySettings;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/** Keeps the scaler on loopback unless somebody decided otherwise, as the rest of the service. */
@Component
class ScalerGuard implements StartCheck {
    private static final Logger LOG = LoggerFactory.getLogger(ScalerGuard.class);
    private static final String ADDRESS = "gpusnap.scaler.address";

    private final ScalerSettings settings;
    private final SecuritySettings security;

    ScalerGuard(ScalerSettings settings, SecuritySettings security) {
        this.settings = settings;
        this.security = security;
    }

    @Override
    public void check() {
        if (!settings.enabled() || isLoopback(settings.address())) {
            return;
        }
        if (!security.allowRemote()) {
            throw new BadConfigurationException(
                    ADDRESS,
                    settings.address()
                            + " is reachable from other machines; set gpusnap.security.allow-remote=true if that is meant");
        }
        if (settings.clientCa() == null) {
            LOG.warn(
                    "{} is reachable from other machines, and whoever reaches it is told the demand of models (gpusnap.scaler.client-ca)",
                    ADDRESS);
        }
    }

    private static boolean isLoopback(String address) {
        try {
            return InetAddress.getByName(address).isLoopbackAddress();
        } catch (UnknownHostException e) {
            throw new BadConfigurationException(ADDRESS, "'" + address + "' is no address of this machine");
        }
    }
}
