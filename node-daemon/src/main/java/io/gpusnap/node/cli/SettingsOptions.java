package io.gpusnap.node.cli;

import io.gpusnap.node.config.ConfigurationException;
import io.gpusnap.node.config.NodeSettings;
import io.gpusnap.node.config.Setting;
import io.gpusnap.node.config.SettingsLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.ISetter;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ScopeType;

/** One option a setting, before or after the subcommand, and {@code --config}. */
final class SettingsOptions {

    private final Map<String, String> environment;
    private final Map<Setting, String> flags = new EnumMap<>(Setting.class);
    private @Nullable Path file;

    SettingsOptions(Map<String, String> environment) {
        this.environment = environment;
    }

    void addTo(CommandSpec root) {
        root.addOption(OptionSpec.builder("--config", "-c")
                .type(Path.class)
                .paramLabel("FILE")
                .description("configuration file, lines of `key = value`; else $GPUSNAP_NODE_CONFIG")
                .scopeType(ScopeType.INHERIT)
                .setter(new Setter<Path>(path -> file = path))
                .build());
        for (Setting setting : Setting.values()) {
            root.addOption(OptionSpec.builder(setting.flag())
                    .type(String.class)
                    .paramLabel("VALUE")
                    .hidden(true)
                    .scopeType(ScopeType.INHERIT)
                    .setter(new Setter<String>(text -> flags.put(setting, text)))
                    .build());
        }
    }

    /** For the help of the root command. */
    static String[] describe() {
        List<String> lines = new ArrayList<>();
        lines.add("");
        lines.add("Settings (key in the file, flag; the environment variable is GPUSNAP_NODE_<KEY>):");
        for (Setting setting : Setting.values()) {
            lines.add("  " + setting.key() + "  " + setting.flag());
            lines.add("      " + setting.meaning() + "; default: " + setting.defaultText());
        }
        return lines.toArray(String[]::new);
    }

    NodeSettings load() throws CommandException {
        Optional<Path> named = Optional.ofNullable(file)
                .or(() -> Optional.ofNullable(environment.get("GPUSNAP_NODE_CONFIG"))
                        .map(Path::of));
        try {
            return SettingsLoader.load(named, environment, flags);
        } catch (ConfigurationException e) {
            throw new CommandException(
                    ExitCode.USAGE,
                    "CONFIGURATION",
                    String.join(System.lineSeparator() + "CONFIGURATION: ", e.problems()),
                    null);
        }
    }

    /** Parsing sets every option once to null before it starts: that is not a value. */
    private record Setter<T>(Consumer<T> target) implements ISetter {
        @Override
        @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals", "NullAway"})
        public <V> V set(V value) {
            if (value != null) {
                target.accept((T) value);
            }
            return value;
        }
    }
}
