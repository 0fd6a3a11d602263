package io.gpusnap.node.cli;

import io.gpusnap.node.engine.KeyChains;
import io.gpusnap.node.operation.StageException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(name = "keys", description = "The data keys that encrypt chunks in this node's tiers.")
final class KeysCommand implements Callable<Integer> {

    @Spec
    @Nullable
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets it");
        }
        throw new ParameterException(spec.commandLine(), "say list, rotate or rewrap");
    }

    /** What the three have in common. */
    abstract static class OfTiers implements Callable<Integer> {

        final CommandContext context;

        @Option(names = "--tier", paramLabel = "NAME", description = "only this one; else every tier that is encrypted")
        private @Nullable String tier;

        @Option(names = "--json", description = "answer as JSON")
        boolean json;

        OfTiers(CommandContext context) {
            this.context = context;
        }

        abstract void work(KeyChains keys, Optional<String> tier) throws StageException;

        @Override
        public Integer call() throws CommandException {
            try (LocalNode node = LocalNode.look(context)) {
                work(node.access().keys(), Optional.ofNullable(tier));
                return ExitCode.OK;
            } catch (StageException e) {
                throw CommandException.of(e);
            }
        }

        <T> void show(List<T> keys, Function<T, String> line) {
            if (json) {
                context.printJson(keys);
                return;
            }
            keys.forEach(key -> context.print(line.apply(key)));
        }

        static String line(String tier, int number, String wrappedBy, String more) {
            return String.format("%-10s key %-4d wrapped by %s%s", tier, number, wrappedBy, more);
        }
    }

    @Command(
            name = "list",
            description =
                    "Every data key of this node's tenant and of its sharing group, which key has wrapped it, and how much it encrypts.")
    static final class ListKeys extends OfTiers {

        ListKeys(CommandContext context) {
            super(context);
        }

        @Override
        void work(KeyChains keys, Optional<String> tier) throws StageException {
            show(
                    keys.list(tier),
                    key -> line(
                            key.tier(),
                            key.number(),
                            key.wrappedBy(),
                            " for " + key.owner() + ", " + Texts.bytes(key.storedBytes())
                                    + (key.current() ? "  encrypts" : "")));
        }
    }

    @Command(
            name = "rotate",
            description = "Make a new data key. Chunks that are written from now on are encrypted by it, on every node;"
                    + " what is there is read with the older ones.")
    static final class Rotate extends OfTiers {

        Rotate(CommandContext context) {
            super(context);
        }

        @Override
        void work(KeyChains keys, Optional<String> tier) throws StageException {
            show(keys.rotate(tier), made -> line(made.tier(), made.number(), made.wrappedBy(), "  encrypts"));
        }
    }

    @Command(
            name = "rewrap",
            description = "Wrap every data key by the first key of tiers.keyFile. No chunk is read or written."
                    + " May be run again after it was cut off.")
    static final class Rewrap extends OfTiers {

        Rewrap(CommandContext context) {
            super(context);
        }

        @Override
        void work(KeyChains keys, Optional<String> tier) throws StageException {
            List<KeyChains.Rewrapped> done = keys.rewrap(tier, (name, looked, all) -> {
                context.err().println("%s: %d of %d data keys".formatted(name, looked, all));
                context.err().flush();
            });
            show(
                    done,
                    one -> "%s: %d data keys, %d of them were wrapped by another key before"
                            .formatted(one.tier(), one.keys(), one.changed()));
        }
    }
}
