package io.gpusnap.service.platform.config;

/** Something that must hold before anything is started, the database included. */
@FunctionalInterface
public interface StartCheck {

    /**
     * Looks once, at the start.
     *
     * @throws BadConfigurationException if it does not hold
     */
    void check();
}
