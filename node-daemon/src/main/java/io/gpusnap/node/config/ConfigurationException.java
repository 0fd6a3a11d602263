package io.gpusnap.node.config;

import java.util.List;

/** The settings cannot be used. One line a problem; each names the property, where it was set, and the mend. */
public final class ConfigurationException extends Exception {

    private final List<String> problems;

    ConfigurationException(List<String> problems) {
        super(String.join("\n", problems));
        this.problems = List.copyOf(problems);
    }

    public List<String> problems() {
        return problems;
    }
}
