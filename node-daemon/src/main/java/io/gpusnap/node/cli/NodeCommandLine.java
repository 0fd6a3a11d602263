package io.gpusnap.node.cli;

import io.gpusnap.node.operation.JournalException;
import java.io.PrintWriter;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Puts the command together. */
public final class NodeCommandLine {

    @Command(
            name = "gpusnap-node",
            mixinStandardHelpOptions = true,
            scope = CommandLine.ScopeType.INHERIT,
            description = "Freezes GPU workloads of this node into snapshots, and thaws them.",
            synopsisSubcommandLabel = "COMMAND")
    static final class Root {}

    private NodeCommandLine() {}

    /** Runs the command of this process and returns its exit status. */
    public static int run(String[] arguments, NodeOpener opener) {
        boolean terminal = System.console() != null && System.console().isTerminal();
        return run(
                arguments,
                new PrintWriter(System.out, true),
                new PrintWriter(System.err, true),
                terminal,
                System.getenv(),
                opener);
    }

    static int run(
            String[] arguments,
            PrintWriter out,
            PrintWriter err,
            boolean terminal,
            Map<String, String> environment,
            NodeOpener opener) {
        SettingsOptions options = new SettingsOptions(environment);
        CommandContext context = new CommandContext(out, err, terminal, options, opener, environment);
        CommandLine root = new CommandLine(new Root());
        options.addTo(root.getCommandSpec());
        root.getCommandSpec().version("gpusnap-node " + Version.current());
        root.addSubcommand(new RunCommand(context))
                .addSubcommand(new SaveCommand(context))
                .addSubcommand(new ThawCommand(context))
                .addSubcommand(new SwitchCommand(context))
                .addSubcommand(new InspectCommand(context))
                .addSubcommand(new ListCommand(context))
                .addSubcommand(new VerifyCommand(context))
                .addSubcommand(new DeleteCommand(context))
                .addSubcommand(new TransferCommand.Push(context))
                .addSubcommand(new TransferCommand.Pull(context))
                .addSubcommand(new ExportCommand(context))
                .addSubcommand(new ImportCommand(context))
                .addSubcommand(tiers(context))
                .addSubcommand(keys(context))
                .addSubcommand(new WorkloadsCommand(context))
                .addSubcommand(new DoctorCommand(context));
        root.getCommandSpec().usageMessage().footer(SettingsOptions.describe());
        return root.setOut(out)
                .setErr(err)
                .setExecutionExceptionHandler((e, line, parsed) -> failed(e, err))
                .setParameterExceptionHandler((e, args) -> misused(e, err))
                .execute(arguments);
    }

    private static CommandLine tiers(CommandContext context) {
        return new CommandLine(new TiersCommand())
                .addSubcommand(new TiersCommand.ListTiers(context))
                .addSubcommand(new TiersCommand.Validate(context));
    }

    private static CommandLine keys(CommandContext context) {
        return new CommandLine(new KeysCommand())
                .addSubcommand(new KeysCommand.ListKeys(context))
                .addSubcommand(new KeysCommand.Rotate(context))
                .addSubcommand(new KeysCommand.Rewrap(context));
    }

    private static int failed(Exception e, PrintWriter err) throws Exception {
        if (e instanceof CommandException known) {
            err.println(known.line());
            return known.exitCode();
        }
        if (e instanceof JournalException) {
            err.println("STATE_DIR: " + e.getMessage() + "; check the disk of state.dir");
            return ExitCode.FAILED;
        }
        throw e;
    }

    private static int misused(CommandLine.ParameterException e, PrintWriter err) {
        err.println("USAGE: " + String.valueOf(e.getMessage()).replace('\n', ' ') + "; see "
                + e.getCommandLine().getCommandSpec().qualifiedName(" ") + " --help");
        return ExitCode.USAGE;
    }
}
