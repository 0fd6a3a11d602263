package io.gpusnap.node.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Settings as text, merged: the launcher's defaults, then the file, then the environment, then flags; the later one wins.
 * Keys that nobody knows are problems, because a misspelt key would silently mean its default.
 */
final class SettingSources {

    private static final String PREFIX = "GPUSNAP_NODE_";
    /** Read elsewhere: the launcher, the command line and the logging configuration. */
    private static final List<String> OTHER_NAMES = List.of(PREFIX + "LOG", PREFIX + "CONFIG", PREFIX + "JAVA_OPTS");

    record Value(String text, String source) {}

    private final Map<Setting, Value> values = new EnumMap<>(Setting.class);
    private final List<String> problems = new ArrayList<>();

    Optional<Value> get(Setting setting) {
        return Optional.ofNullable(values.get(setting));
    }

    List<String> problems() {
        return problems;
    }

    void addDefaults(Map<Setting, String> defaults) {
        defaults.forEach((setting, text) -> values.put(setting, new Value(text, "the launcher")));
    }

    void addFile(Path file) {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (IOException e) {
            problems.add("configuration file " + file + " cannot be read (" + e.getMessage()
                    + "); name a readable file with --config");
            return;
        }
        for (int number = 1; number <= lines.size(); number++) {
            String line = lines.get(number - 1).strip();
            if (!line.isEmpty() && !line.startsWith("#")) {
                addLine(line, file + " line " + number);
            }
        }
    }

    void addEnvironment(Map<String, String> environment) {
        environment.forEach((name, text) -> {
            if (name.startsWith(PREFIX) && !OTHER_NAMES.contains(name)) {
                Setting.ofEnvironmentName(name)
                        .ifPresentOrElse(
                                setting -> values.put(setting, new Value(text, "the environment variable " + name)),
                                () -> problems.add(
                                        "environment variable " + name + " is no setting; unset it, or use one of "
                                                + PREFIX + "<KEY> for " + Setting.allKeys()));
            }
        });
    }

    void addFlags(Map<Setting, String> flags) {
        flags.forEach((setting, text) -> values.put(setting, new Value(text, "the flag " + setting.flag())));
    }

    private void addLine(String line, String where) {
        int equals = line.indexOf('=');
        if (equals < 1) {
            problems.add(where + " is not `key = value`");
            return;
        }
        String key = line.substring(0, equals).strip();
        Setting.ofKey(key)
                .ifPresentOrElse(
                        setting -> values.put(
                                setting, new Value(line.substring(equals + 1).strip(), where)),
                        () -> problems.add(
                                key + " (" + where + ") is no setting; the settings are " + Setting.allKeys()));
    }
}
