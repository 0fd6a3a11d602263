package io.gpusnap.demo;

import java.time.Duration;
import java.time.Instant;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;

/** Freeze, be gone, thaw, compare, freeze again: by the REST API only. */
final class Cycle {

    private static final int OPERATION_SECONDS = 300;
    private static final int END_SECONDS = 30;

    private final Terminal terminal;
    private final Deployment deployment;
    private final Catalogue catalogue;
    private final ControlPlane api;
    private final OperationWatch watch;
    private final Engine engine;

    Cycle(Terminal terminal, Deployment deployment, ControlPlane api, Engine engine) {
        this.terminal = terminal;
        this.deployment = deployment;
        this.api = api;
        this.catalogue = new Catalogue(api);
        this.watch = new OperationWatch(api, terminal);
        this.engine = engine;
    }

    /** A snapshot that is READY, and how long that took from the call. */
    record Saved(JsonNode snapshot, double seconds) {

        String id() {
            return snapshot.path("id").asString();
        }

        long total(String name) {
            return snapshot.path("totals").path(name).asLong();
        }

        double pauseSeconds() {
            return snapshot.path("pauseSeconds").asDouble();
        }

        /** Bytes stored by this one for each byte that the other one stored. */
        double storedRatio(Saved first) {
            return (double) total("storedBytes") / first.total("storedBytes");
        }
    }

    /** A process that answers again, and how long that took from the call. */
    record Thawed(Started process, JsonNode firstAnswer, double seconds) {}

    /** A stopped process must be gone; a suspended one must be there and hold no device memory. */
    Saved freeze(Started process) {
        terminal.step("Freezing it into a snapshot: POST /api/v1/snapshots");
        Saved saved = save(process, "STOP");
        terminal.say("snapshot %s is READY after %s: %s of memory, %s stored"
                .formatted(
                        saved.id(),
                        Units.seconds(saved.seconds()),
                        Units.bytes(saved.total("logicalBytes")),
                        Units.bytes(saved.total("storedBytes"))));
        switch (engine) {
            case CRIU_CUDA -> {
                if (!process.awaitEnd(END_SECONDS) || deployment.server().listens()) {
                    throw new DemoFailure("process " + process.pid() + " should be gone and is not");
                }
                terminal.say("process " + process.pid() + " is gone, its port is closed");
            }
            case SUSPEND -> {
                process.requireAlive();
                JsonNode workload = catalogue.awaitState(process.pid(), "SUSPENDED");
                terminal.say("process %d is there, frozen, its device memory is free (%s)"
                        .formatted(process.pid(), workload.path("state").asString()));
            }
        }
        return saved;
    }

    Thawed thaw(Saved saved, Started before) {
        terminal.step((engine == Engine.SUSPEND ? "Resuming" : "Thawing") + " it: POST /api/v1/restores");
        return thaw(before, () -> catalogue.restore(saved.id()));
    }

    private Thawed thaw(Started before, Supplier<Catalogue.Accepted> ask) {
        Instant start = Instant.now();
        Catalogue.Accepted accepted = ask.get();
        JsonNode first = deployment
                .server()
                .askUntilAnswered(
                        Answers.PROMPTS.getFirst(),
                        OPERATION_SECONDS,
                        () -> catalogue.requireNotFailed(accepted.operationId()));
        double seconds = Units.seconds(Duration.between(start, Instant.now()));
        watch.await(accepted.operationId(), OPERATION_SECONDS);
        long pid = catalogue.restored(accepted.resourceId()).path("pid").asLong();
        terminal.say("first answer after " + Units.seconds(seconds) + ", process " + pid);
        Started process = engine == Engine.SUSPEND ? before : deployment.adopt(pid, before.log());
        return new Thawed(process, first, seconds);
    }

    /**
     * @return how long it took from asking for a copy in the bucket until it was there
     */
    double push(Saved saved) {
        terminal.step("A copy in S3, as a policy wants it: POST /api/v1/tier-policies");
        Instant start = Instant.now();
        catalogue.wantTwoCopies();
        awaitCopy(saved);
        double seconds = Units.seconds(Duration.between(start, Instant.now()));
        terminal.say("the bucket has it after " + Units.seconds(seconds));
        return seconds;
    }

    private void awaitCopy(Saved saved) {
        watch.await(catalogue.transferOf(saved.id()), OPERATION_SECONDS);
        catalogue.requireCopyInS3(saved.id());
    }

    /** The node is lost with all that it has; the snapshot comes back from the bucket on another one. */
    Thawed thawElsewhere(Saved saved, Started process) {
        terminal.step("What the second snapshot has that the bucket lacks goes there too");
        awaitCopy(saved);
        terminal.step("The node is lost: its process, its disk, its memory");
        String workload = catalogue.workload(process.pid()).path("id").asString();
        deployment.loseNode(process, () -> catalogue.awaitGone(workload));
        terminal.step("Another node, which has nothing, thaws it from S3: POST /api/v1/restores");
        String node = deployment.startOtherNode(api);
        return thaw(process, () -> catalogue.restoreOn(saved.id(), node));
    }

    boolean compare(Answers before, Thawed thawed) {
        Answers after = Answers.of(deployment.server());
        boolean equal = before.continuedBy(thawed.firstAnswer(), after);
        terminal.say(
                equal
                        ? "the answers are those of the frozen process, request counter and random token included"
                        : "THE ANSWERS DIFFER: before %s, after %s, first %s"
                                .formatted(before, after, thawed.firstAnswer()));
        return equal;
    }

    /** A second snapshot, of the thawed process: what has not changed is stored already. */
    Saved freezeAgain(Started process) {
        terminal.step("A second snapshot of the same model version");
        Saved second = save(process, "KEEP_RUNNING");
        terminal.say("stored %s more".formatted(Units.bytes(second.total("storedBytes"))));
        return second;
    }

    private Saved save(Started process, String afterSave) {
        JsonNode workload = catalogue.workload(process.pid());
        Instant start = Instant.now();
        Catalogue.Accepted accepted = catalogue.save(workload, engine, afterSave);
        watch.await(accepted.operationId(), OPERATION_SECONDS);
        double seconds = Units.seconds(Duration.between(start, Instant.now()));
        JsonNode snapshot = api.get("/snapshots/" + accepted.resourceId());
        if (!snapshot.path("state").asString().equals("READY")) {
            throw new DemoFailure("the operation succeeded and the snapshot is " + snapshot.path("state"));
        }
        return new Saved(snapshot, seconds);
    }
}
