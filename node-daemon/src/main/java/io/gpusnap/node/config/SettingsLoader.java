package io.gpusnap.node.config;

import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** Reads the settings of this process. */
public final class SettingsLoader {

    /** Defaults that only the launcher knows, as system properties {@code gpusnap.default.<key>}. */
    public static final String LAUNCHER_PREFIX = "gpusnap.default.";

    private SettingsLoader() {}

    /**
     * @param file the configuration file, lines of {@code key = value}
     * @param flags what the command line says
     * @throws ConfigurationException with every problem, not just the first
     */
    public static NodeSettings load(Optional<Path> file, Map<String, String> environment, Map<Setting, String> flags)
            throws ConfigurationException {
        return load(file, environment, flags, launcherDefaults(), Machine.here());
    }

    static NodeSettings load(
            Optional<Path> file,
            Map<String, String> environment,
            Map<Setting, String> flags,
            Map<Setting, String> launcher,
            Machine machine)
            throws ConfigurationException {
        SettingSources sources = new SettingSources();
        sources.addDefaults(launcher);
        file.ifPresent(sources::addFile);
        sources.addEnvironment(environment);
        sources.addFlags(flags);
        return new SettingsReader(sources, machine).read();
    }

    private static Map<Setting, String> launcherDefaults() {
        Map<Setting, String> defaults = new EnumMap<>(Setting.class);
        for (Setting setting : Setting.values()) {
            String value = System.getProperty(LAUNCHER_PREFIX + setting.key());
            if (value != null && !value.isBlank()) {
                defaults.put(setting, value);
            }
        }
        return defaults;
    }
}
