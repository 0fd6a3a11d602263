package io.gpusnap.node.cli;

import io.gpusnap.node.client.Inventory;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(name = "tiers", description = "Show and try out the places where this node keeps snapshots.")
final class TiersCommand implements Callable<Integer> {

    @Spec
    @Nullable
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets it");
        }
        throw new ParameterException(spec.commandLine(), "say list or validate");
    }

    @Command(name = "list", description = "Every tier of this node, and whether it answers.")
    static final class ListTiers implements Callable<Integer> {

        private final CommandContext context;

        @Option(names = "--json", description = "answer as JSON")
        private boolean json;

        ListTiers(CommandContext context) {
            this.context = context;
        }

        @Override
        public Integer call() throws CommandException {
            try (LocalNode node = LocalNode.look(context)) {
                List<Inventory.Tier> tiers = node.access().tiers();
                if (json) {
                    context.printJson(tiers);
                } else {
                    tiers.forEach(this::show);
                }
                return ExitCode.OK;
            }
        }

        private void show(Inventory.Tier tier) {
            String room = tier.capacityBytes() == 0
                    ? "unbounded"
                    : Texts.bytes(tier.freeBytes()) + " free of " + Texts.bytes(tier.capacityBytes());
            context.print(String.format(
                    "%-10s %-7s %-10s %s, %s used  %s",
                    tier.name(), tier.kind(), tier.health(), room, Texts.bytes(tier.usedBytes()), tier.path()));
            if (tier.healthReason() != null) {
                context.print("           " + tier.healthReason());
            }
        }
    }

    @Command(
            name = "validate",
            description =
                    "Try out what snapshots count on: objects are written, read back, measured and deleted; clock and room"
                            + " are looked at. One line a check, with what mends it. Exit status 0 when all of it works.")
    static final class Validate implements Callable<Integer> {

        private final CommandContext context;

        @Option(names = "--tier", paramLabel = "NAME", description = "only this one; else every shared tier and nvme")
        private @Nullable String tier;

        @Option(names = "--json", description = "answer as JSON")
        private boolean json;

        Validate(CommandContext context) {
            this.context = context;
        }

        @Override
        public Integer call() throws CommandException {
            try (LocalNode node = LocalNode.look(context)) {
                List<TierCheck> checks = node.access().validateTiers(tier);
                if (checks.isEmpty()) {
                    throw new CommandException(
                            ExitCode.USAGE,
                            "TIER_MISMATCH",
                            "no tier " + tier + " of this node can be tried out",
                            "gpusnap-node tiers list shows them");
                }
                if (json) {
                    context.printJson(checks);
                } else {
                    checks.forEach(this::show);
                }
                return checks.stream().allMatch(TierCheck::passed) ? ExitCode.OK : ExitCode.FAILED;
            }
        }

        private void show(TierCheck check) {
            String mend = check.mend().isEmpty() ? "" : " - " + check.mend();
            context.print(String.format(
                    "%-8s %-10s %-18s %s%s",
                    check.passed() ? "ok" : "failed", check.tier(), check.name(), check.detail(), mend));
        }
    }
}
