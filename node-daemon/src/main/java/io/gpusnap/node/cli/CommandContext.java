package io.gpusnap.node.cli;

import io.gpusnap.node.config.ByteSize;
import io.gpusnap.node.config.NodeSettings;
import java.io.PrintWriter;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What every command works with.
 *
 * @param out answers
 * @param err progress and errors
 * @param terminal whether err is a terminal that can overwrite its line
 */
record CommandContext(
        PrintWriter out,
        PrintWriter err,
        boolean terminal,
        SettingsOptions options,
        NodeOpener opener,
        Map<String, String> environment) {

    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    NodeSettings settings() throws CommandException {
        NodeSettings settings = options.load();
        settings.warnings().forEach(warning -> err.println("warning: " + warning));
        err.flush();
        return settings;
    }

    void print(String line) {
        out.println(line);
        out.flush();
    }

    void printJson(Object value) {
        print(JSON.writeValueAsString(value));
    }

    static UUID snapshotId(String text) throws CommandException {
        try {
            return UUID.fromString(text);
        } catch (IllegalArgumentException e) {
            throw new CommandException(
                    ExitCode.USAGE, "USAGE", text + " is no snapshot id", "gpusnap-node list shows them");
        }
    }

    /** @param text as for {@code --max-rate}; null for no bound */
    static @Nullable Long rate(@Nullable String text) throws CommandException {
        try {
            return text == null ? null : ByteSize.parse(text);
        } catch (IllegalArgumentException e) {
            throw new CommandException(
                    ExitCode.USAGE, "USAGE", "--max-rate " + text + " cannot be used: " + e.getMessage(), null);
        }
    }
}
