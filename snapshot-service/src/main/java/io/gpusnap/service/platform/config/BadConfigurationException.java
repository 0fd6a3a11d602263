package io.gpusnap.service.platform.config;

/** A setting that the service cannot start with. */
public final class BadConfigurationException extends RuntimeException {
    private final String property;

    /**
     * @param property the setting's name
     * @param reason what is wrong with it and what would be right, in one line
     */
    public BadConfigurationException(String property, String reason) {
        super(reason);
        this.property = property;
    }

    public String property() {
        return property;
    }

    public String reason() {
        return String.valueOf(getMessage());
    }
}
