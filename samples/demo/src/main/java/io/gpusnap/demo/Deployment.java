package io.gpusnap.demo;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/** Everything that the demo starts: the control plane, one node's daemon, and the workload under the preload library. */
final class Deployment {

    private static final int READY_SECONDS = 300;
    private static final int STOP_SECONDS = 30;

    private final Settings settings;
    private final Terminal terminal;
    private final Launcher launcher;
    private final Stack stack;
    private final Workload workload;
    private final SampleServer server;
    private final boolean simulated;
    private final Installation installation;
    private final Places places;
    private Optional<Started> daemon = Optional.empty();

    Deployment(Settings settings, Installation installation, Terminal terminal, Launcher launcher, Places places) {
        this.settings = settings;
        this.terminal = terminal;
        this.launcher = launcher;
        this.installation = installation;
        this.places = places;
        this.simulated = switch (settings.driver()) {
            case SIMULATED -> true;
            case REAL -> false;
            case AUTO -> !Installation.gpuIsThere();
        };
        this.stack = new Stack(installation, launcher, places, terminal);
        this.workload = new Workload(installation, settings, places, simulated, Stack.freePort(8000));
        this.server = new SampleServer(workload.port());
    }

    boolean simulated() {
        return simulated;
    }

    SampleServer server() {
        return server;
    }

    ControlPlane startControlPlane() {
        terminal.step("Starting the control plane, with a PostgreSQL of its own");
        ControlPlane api = stack.startService("--gpusnap.policies.interval=2s");
        terminal.say("listens on " + api.base());
        return api;
    }

    /** @return the engine that this node can freeze with */
    Engine startDaemon(ControlPlane api) {
        terminal.step("Starting this node's daemon, on "
                + (simulated ? "the simulated CUDA driver: no GPU here" : "the GPU"));
        stack.startS3();
        daemon = Optional.of(startDaemon(api, Stack.NODE, places));
        Engine engine = Engine.bestOf(stack.node(api, Stack.NODE));
        terminal.say("it freezes with the engine " + engine.id());
        if (engine != Engine.CRIU_CUDA) {
            terminal.say(Engine.CRIU_CUDA.id() + " is missing: "
                    + Engine.whyMissing(stack.node(api, Stack.NODE), Engine.CRIU_CUDA));
            if (!installation.criuReason().isEmpty()) {
                terminal.say(installation.criuReason());
            }
            terminal.say("so the process will stay, frozen and without device memory, instead of being killed");
        }
        return engine;
    }

    private Started startDaemon(ControlPlane api, String node, Places own) {
        String driver = simulated ? installation.simulatedDriver().toString() : "";
        return stack.startDaemon(api, node, own, settings, workload.deviceEnvironment(), driver);
    }

    /**
     * The node goes with everything on it: the process, the daemon, the snapshots on its disk and in its memory.
     *
     * @param whenEnded waits until it is known that the process has ended: nobody is then to bring it back
     */
    void loseNode(Started process, Runnable whenEnded) {
        process.stop(false, STOP_SECONDS);
        whenEnded.run();
        daemon.ifPresent(it -> it.stop(true, STOP_SECONDS));
        places.loseNode();
    }

    /**
     * A node that has nothing, and sees the bucket.
     *
     * @return its id
     */
    String startOtherNode(ControlPlane api) {
        Started other = startDaemon(api, Stack.OTHER_NODE, places.ofOtherNode());
        stack.awaitBucket(api, Stack.OTHER_NODE, other);
        return stack.node(api, Stack.OTHER_NODE).path("id").asString();
    }

    /** A model's weights lie on a disk before any replica starts: making them is no part of a cold start. */
    void prepareWeights() {
        if (workload.hasWeights()) {
            return;
        }
        terminal.step("Making the model's weights, once");
        Started maker = launcher.start("weights", workload.command(0, "weights.state"), workload.plainEnvironment());
        server.askUntilAnswered(Answers.PROMPTS.getFirst(), READY_SECONDS, maker::requireAlive);
        maker.stop(true, STOP_SECONDS);
    }

    /** A process, and how long it took from its start to its first answer. */
    record Cold(Started process, double seconds) {}

    Cold startWorkload() {
        terminal.step("Cold start of the inference server (%d MiB of weights, %d MiB cache, %d s of warm-up)"
                .formatted(settings.weightsMiB(), settings.kvMiB(), settings.warmupSeconds()));
        Instant start = Instant.now();
        Started process = launcher.start(
                Workload.NAME,
                workload.command(settings.warmupSeconds(), "server.state"),
                workload.managedEnvironment());
        server.askUntilAnswered(Answers.PROMPTS.getFirst(), READY_SECONDS, () -> {
            process.requireAlive();
            terminal.live("warming up, %.0f s".formatted(Units.seconds(Duration.between(start, Instant.now()))));
        });
        double seconds = Units.seconds(Duration.between(start, Instant.now()));
        terminal.say("first answer after " + Units.seconds(seconds) + ", process " + process.pid());
        return new Cold(process, seconds);
    }

    Started adopt(long pid, Path log) {
        return launcher.adopt(Workload.NAME, pid, log);
    }

    /** What is printed when everything is left running. */
    String leftRunning(ControlPlane api, Started process, Path stopScript) {
        Map<String, String> values = Map.of(
                "{swagger}",
                api.base() + "/swagger-ui.html",
                "{token}",
                api.token(),
                "{api}",
                api.base() + "/api/v1",
                "{answer}",
                server.base() + "/answer?prompt=" + Answers.PROMPTS.getFirst(),
                "{pid}",
                Long.toString(process.pid()),
                "{stop}",
                stopScript.toString());
        String text = """

                Left running (KEEP=1): control plane, daemon and the thawed server (process {pid}).
                  Swagger UI    {swagger}
                  access token  {token}   (button "Authorize")

                Three commands to try:
                  curl '{answer}'
                  curl -H 'Authorization: Bearer {token}' {api}/snapshots
                  curl -H 'Authorization: Bearer {token}' '{api}/workloads?state=RUNNING'

                To end all of it:
                  sh {stop}""";
        for (Map.Entry<String, String> value : values.entrySet()) {
            text = text.replace(value.getKey(), value.getValue());
        }
        return text;
    }
}
