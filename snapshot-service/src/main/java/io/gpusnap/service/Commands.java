package io.gpusnap.service;

import io.gpusnap.service.forecast.backtest.BacktestCommand;
import io.gpusnap.service.schedule.simulation.SimulateCommand;
import java.io.IOException;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.Map;

/** Commands of the program: they use the code that serves, on files instead of a database. */
final class Commands {
    private static final Map<String, Command> ALL =
            Map.of("backtest", BacktestCommand::run, "simulate", SimulateCommand::run);

    private Commands() {}

    @FunctionalInterface
    private interface Command {
        void run(String[] arguments, PrintStream out) throws IOException;
    }

    /** False if the arguments name no command; ends the program with 2 and one line if the command's options are wrong. */
    static boolean run(String[] arguments) {
        Command command = arguments.length == 0 ? null : ALL.get(arguments[0]);
        if (command == null) {
            return false;
        }
        try {
            command.run(Arrays.copyOfRange(arguments, 1, arguments.length), System.out);
        } catch (IllegalArgumentException | IOException e) {
            System.err.println(arguments[0] + ": " + e.getMessage());
            System.exit(2);
        }
        return true;
    }
}
