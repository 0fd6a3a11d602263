package io.gpusnap.service.platform.config;

/** Something that must hold before anything is started, the database included. */
@FunctionalInterface
public interface StartCheck {

    /** @throws BadConfigurationException if it does not hold */
    void check();
}
