package io.gpusnap.demo;

import java.util.List;
import java.util.Optional;

/** The whole story, and the end of everything that it started. */
final class Demo {

    private final Settings settings;
    private final Installation installation;
    private final Terminal terminal;
    private volatile boolean stopped;

    Demo(Settings settings, Installation installation, Terminal terminal) {
        this.settings = settings;
        this.installation = installation;
        this.terminal = terminal;
    }

    /** @throws DemoFailure also if the answers differ */
    void run() {
        StopScript leftovers = new StopScript(installation.root().resolve("build/demo"));
        if (leftovers.exists()) {
            terminal.step("An earlier demo was left running: ending it");
            leftovers.run();
        }
        Places places = Places.prepare(installation.root(), settings);
        Launcher launcher = new Launcher(places.root());
        Thread hook = new Thread(
                () -> {
                    stopped = true;
                    end(launcher, places);
                },
                "end-demo");
        Runtime.getRuntime().addShutdownHook(hook);
        boolean kept = false;
        try {
            Deployment deployment = new Deployment(settings, installation, terminal, launcher, places);
            kept = story(deployment, launcher, places, leftovers);
        } catch (DemoFailure failure) {
            // Whatever failed then, failed because everything is being ended.
            throw stopped ? new DemoFailure("stopped before its end; what it had started is ended", failure) : failure;
        } finally {
            forget(hook);
            if (!kept) {
                end(launcher, places);
            }
        }
    }

    /** @return whether everything is to be left running */
    private boolean story(Deployment deployment, Launcher launcher, Places places, StopScript leftovers) {
        ControlPlane api = deployment.startControlPlane();
        Engine engine = deployment.startDaemon(api);
        deployment.prepareWeights();
        Deployment.Cold cold = deployment.startWorkload();
        Answers before = Answers.settled(deployment.server());
        new Catalogue(api).createModelVersion(settings);

        Cycle cycle = new Cycle(terminal, deployment, api, engine);
        Cycle.Saved first = cycle.freeze(cold.process());
        Cycle.Thawed thawed = cycle.thaw(first, cold.process());
        boolean equal = cycle.compare(before, thawed);
        // A suspended process comes back on its own node only.
        Optional<Double> pushSeconds = engine == Engine.SUSPEND ? Optional.empty() : Optional.of(cycle.push(first));
        Optional<Double> elsewhereSeconds = Optional.empty();
        Answers settled = Answers.of(deployment.server());
        Cycle.Saved second = cycle.freezeAgain(thawed.process());
        Started last = thawed.process();
        if (engine == Engine.SUSPEND) {
            Cycle.Thawed again = cycle.thaw(second, last);
            equal &= cycle.compare(settled, again);
        } else {
            equal &= settled.byPrompt().equals(Answers.of(deployment.server()).byPrompt());
            Cycle.Thawed elsewhere = cycle.thawElsewhere(second, last);
            equal &= cycle.compare(settled, elsewhere);
            elsewhereSeconds = Optional.of(elsewhere.seconds());
            last = elsewhere.process();
        }

        Report report = new Report(
                cold.seconds(),
                first.seconds(),
                first.pauseSeconds(),
                thawed.seconds(),
                equal,
                engine.id(),
                deployment.simulated(),
                first.total("vramBytes"),
                first.total("hostBytes"),
                first.total("storedBytes"),
                first.total("chunksTotal"),
                first.total("chunksStored"),
                second.storedRatio(first),
                pushSeconds,
                elsewhereSeconds);
        report.write(places.root().resolve("report.json"));
        terminal.step("Result (also in build/demo/report.json)");
        terminal.plain(report.table());
        if (!equal) {
            throw new DemoFailure("the answers differ: see above, and the logs in " + places.root());
        }
        if (settings.keep()) {
            leftovers.write(launcher.running(), List.of(places.memory()));
            terminal.plain(deployment.leftRunning(api, last, leftovers.file()));
            launcher.release();
        }
        return settings.keep();
    }

    private static void forget(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException alreadyEnding) {
            // Ctrl-C: the hook is running and ends the demo.
            return;
        }
    }

    /** By the demo or by the shutdown hook, whoever comes first. */
    private static synchronized void end(Launcher launcher, Places places) {
        launcher.stopAll();
        places.removeMemory();
    }
}
