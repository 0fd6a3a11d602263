package io.gpusnap.service.platform.command;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** Options {@code --name=value} of a command. */
public final class CommandOptions {
    private final Map<String, String> values;

    private CommandOptions(Map<String, String> values) {
        this.values = values;
    }

    /** @throws IllegalArgumentException naming what is not known, and what is */
    public static CommandOptions parse(String[] arguments, Set<String> known) {
        Map<String, String> values = new LinkedHashMap<>();
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            String name = argument.startsWith("--") && equals > 2 ? argument.substring(2, equals) : "";
            if (!known.contains(name)) {
                throw new IllegalArgumentException(
                        argument + " is not an option; there are --" + String.join("=…, --", known) + "=…");
            }
            values.put(name, argument.substring(equals + 1));
        }
        return new CommandOptions(values);
    }

    public boolean has(String name) {
        return values.containsKey(name);
    }

    public String text(String name, String otherwise) {
        return values.getOrDefault(name, otherwise);
    }

    /** @throws IllegalArgumentException if it is not a whole number in these bounds */
    public long number(String name, long otherwise, long least, long most) {
        String value = values.get(name);
        if (value == null) {
            return otherwise;
        }
        try {
            long number = Long.parseLong(value);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("--" + name + " must be a whole number, is " + value, e);
        }
        throw new IllegalArgumentException("--" + name + " must be from " + least + " to " + most + ", is " + value);
    }
}
