package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.TargetState;
import io.gpusnap.node.file.Folders;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.LocalAddresses;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The process lives and its preload says so; and it answers its recorded prompt as it has to, where there is one. */
final class ThawHealth extends EngineStage {

    private static final Logger LOG = LoggerFactory.getLogger(ThawHealth.class);

    private final ThawSession session;

    ThawHealth(ThawSession session) {
        super("health", session.times());
        this.session = session;
    }

    @Override
    public OnRestart onRestart() {
        return OnRestart.RERUN;
    }

    @Override
    void execute(StageContext context)
            throws StageException, GpuException, TierException, ManifestException, IOException, InterruptedException {
        NodeRuntime runtime = session.runtime();
        ProcessId process = ThawSession.process(context);
        TargetState state = state(context);
        if (state != TargetState.RUNNING) {
            throw new StageException(FailureCode.INTERNAL, process + " is " + state + " after it was resumed");
        }
        if (!runtime.proc().isAlive(process)) {
            throw new StageException(FailureCode.WORKLOAD_LOST, process + " ended as soon as it was resumed");
        }
        Optional<AnswerProbe> probe = session.request().probe();
        if (probe.isPresent()) {
            AnswerCheck.ask(probe.get(), host(context), port(probe.get()));
        }
        session.closeTarget();
        Map<String, Double> seconds = session.times().seconds();
        context.remember(new ThawOutcome(
                process.pid(),
                process.startTimeTicks(),
                session.manifest().process().workload(),
                session.times().totalSeconds(),
                seconds,
                session.fillBytesPerSecond(),
                probe.isPresent() ? session.times().totalSeconds() : null,
                session.bytesByTier()));
        tidyUp(process);
    }

    /** It serves by now: before a question without an answer costs it that, it is asked once more, over a new connection. */
    private TargetState state(StageContext context) throws StageException, GpuException {
        try {
            return session.target(context).status().state();
        } catch (GpuException e) {
            LOG.warn("asked again whether it runs: {}", e.getMessage());
            session.closeTarget();
            return session.target(context).status().state();
        }
    }

    /** The network of a container is another one: it is asked at an address that is not its loopback. */
    private String host(StageContext context) throws StageException {
        Optional<TargetContainer> container = session.container(context);
        if (container.isEmpty()) {
            return "127.0.0.1";
        }
        int init = container.get().container().init().pid();
        return LocalAddresses.of(session.runtime().proc(), init).stream()
                .filter(address -> !LocalAddresses.isEverywhere(address) && !address.contains(":"))
                .findFirst()
                .orElseThrow(() -> new StageException(
                        FailureCode.ANSWER_WRONG,
                        "the container has no address besides loopback, so nobody can ask it its recorded prompt"));
    }

    private int port(AnswerProbe probe) throws StageException, TierException, ManifestException {
        if (probe.port().isPresent()) {
            return probe.port().get();
        }
        return session.manifest().process().listeningSockets().stream()
                .map(Manifest.ListeningSocket::port)
                .findFirst()
                .orElseThrow(() -> new StageException(
                        FailureCode.ANSWER_WRONG,
                        "the process listens on no port, so nobody can ask it its recorded prompt"));
    }

    /** It serves: nothing that fails here may end it. */
    private void tidyUp(ProcessId process) {
        NodeRuntime runtime = session.runtime();
        try {
            runtime.suspended().forget(process);
            Folders.delete(runtime.scratch(session.request().operation()));
        } catch (IOException e) {
            LOG.atWarn().addKeyValue("pid", process.pid()).log(String.valueOf(e.getMessage()));
        }
    }
}
