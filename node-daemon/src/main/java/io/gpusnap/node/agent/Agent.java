package io.gpusnap.node.agent;

import io.gpusnap.node.client.NodeApiClient;
import io.gpusnap.node.client.NodeApiException;
import io.gpusnap.node.client.PeersAnswer;
import io.gpusnap.node.client.Registration;
import io.gpusnap.node.client.Session;
import io.gpusnap.node.client.Task;
import io.gpusnap.node.operation.FactRegistry;
import io.gpusnap.node.operation.Journal;
import io.gpusnap.node.operation.LogKeys;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.OperationRunner;
import io.gpusnap.node.operation.ProgressSnapshot;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StageState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The daemon at work: takes up what an earlier one left, then serves the service until it is stopped. */
public final class Agent {

    /** Requests and facts of the agent's own, to be registered with the journal. */
    public static final FactRegistry FACTS = FactRegistry.of(
            Claim.class,
            Unwanted.class,
            Task.Save.class,
            Task.Thaw.class,
            Task.Switch.class,
            Task.Verify.class,
            Task.Delete.class,
            Task.Transfer.class,
            Task.Evict.class,
            Task.Sweep.class,
            Task.Scrub.class);

    /** How far one operation's stage is. */
    public record Work(OperationKind kind, ProgressSnapshot progress) {}

    private static final Logger LOG = LoggerFactory.getLogger(Agent.class);
    /** Work with workloads. */
    private static final Set<OperationKind> PROCESSES = EnumSet.of(
            OperationKind.SAVE, OperationKind.THAW, OperationKind.SWITCH, OperationKind.VERIFY, OperationKind.DELETE);
    /** Takes an hour for ten large snapshots: moves that are wanted now must not wait for it. */
    private static final Set<OperationKind> SCRUBS = EnumSet.of(OperationKind.SCRUB);
    /** Work on tiers has room of its own: however much of it there is, a thaw is taken. */
    private static final Set<OperationKind> MOVES =
            EnumSet.of(OperationKind.TRANSFER, OperationKind.EVICT, OperationKind.SWEEP);

    private static final int PARALLEL_MOVES = 2;
    private static final int PARALLEL_SCRUBS = 1;
    private static final Duration CLOCK_TICK = Duration.ofMillis(250);

    private final NodeApiClient client;
    private final AgentTiming timing;
    private final NodeWork work;
    private final Threads threads = new Threads();
    private final Threads operationThreads = new Threads();
    private final ServiceLink link;
    private final OperationSupervisor supervisor;
    private final Heartbeats heartbeats;
    private final Claims claims;
    private final Claims moves;
    private final Claims scrubs;
    private final AtomicBoolean recovered = new AtomicBoolean();
    private final List<Thread> claiming = new CopyOnWriteArrayList<>();

    /**
     * @param accessToken for registering
     * @param listener watches every operation, besides the agent itself
     */
    public Agent(
            AgentIdentity identity,
            NodeApiClient client,
            String accessToken,
            Journal journal,
            NodeWork work,
            StageListener listener,
            int parallelOperations) {
        this(identity, client, accessToken, journal, work, listener, parallelOperations, AgentTiming.standard());
    }

    Agent(
            AgentIdentity identity,
            NodeApiClient client,
            String accessToken,
            Journal journal,
            NodeWork work,
            StageListener listener,
            int parallelOperations,
            AgentTiming timing) {
        this.client = client;
        this.timing = timing;
        this.work = work;
        UUID instance = UUID.randomUUID();
        this.link = new ServiceLink(
                client,
                accessToken,
                () -> new Registration(identity.nodeName(), instance, identity.version(), work.inventory()),
                timing,
                work::registered);
        Touching touching = new Touching(listener);
        this.supervisor = new OperationSupervisor(
                journal,
                new OperationRunner(journal, touching),
                work,
                new ProgressReporter(client, link, timing),
                new OutcomeDelivery(client, link, journal, new Completions(work), timing),
                timing,
                operationThreads);
        touching.watch(supervisor);
        this.heartbeats = new Heartbeats(client, link, work, supervisor);
        supervisor.onSettled(heartbeats::soon);
        this.claims = new Claims(client, link, supervisor, timing, operationThreads, PROCESSES, parallelOperations);
        this.moves = new Claims(client, link, supervisor, timing, operationThreads, MOVES, PARALLEL_MOVES);
        this.scrubs = new Claims(client, link, supervisor, timing, operationThreads, SCRUBS, PARALLEL_SCRUBS);
    }

    /** Returns at once. Recovery needs no service; claims begin when it is over. */
    public void start() {
        threads.start("register", link::keepRegistered);
        threads.start("clock", this::watchClock);
        threads.start("heartbeat", heartbeats::run);
        claiming.add(threads.start("claim", () -> {
            supervisor.recover();
            work.recovered();
            recovered.set(true);
            claiming.add(threads.start("claim moves", moves::run));
            claiming.add(threads.start("claim scrubs", scrubs::run));
            claims.run();
        }));
    }

    /** What an earlier daemon left has been finished or undone. */
    public boolean recovered() {
        return recovered.get();
    }

    public ConnectionState connection() {
        return link.state();
    }

    /** How far the service's clock was ahead of this node's at the last heartbeat; zero before the first. */
    public Duration clockDifference() {
        return heartbeats.clockDifference();
    }

    /** @param self the id of this node */
    public record Known(String self, PeersAnswer answer) {}

    /** Who else works on what this operation works on; empty when the service cannot be asked now, or does not tell. */
    public Optional<Known> peers(OperationId operation) throws InterruptedException {
        Optional<Session> session = link.current();
        if (session.isEmpty()) {
            return Optional.empty();
        }
        try {
            PeersAnswer answer = client.peers(session.get(), operation);
            link.reached();
            return Optional.of(new Known(session.get().nodeId(), answer));
        } catch (NodeApiException.StaleSession e) {
            link.stale(session.get(), e);
            return Optional.empty();
        } catch (NodeApiException e) {
            LOG.atDebug()
                    .addKeyValue(LogKeys.OPERATION, operation)
                    .addKeyValue(LogKeys.REASON, e.getMessage())
                    .log("who else works on it is not known");
            return Optional.empty();
        }
    }

    /** The running stage of each operation that is at work. */
    public List<Work> atWork() {
        List<Work> now = new ArrayList<>();
        supervisor.forEach(operation -> operation.running().stages().stream()
                .filter(stage -> stage.state() == StageState.RUNNING)
                .findFirst()
                .ifPresent(stage -> now.add(new Work(operation.running().spec().kind(), stage.progress()))));
        return now;
    }

    /** Operations that run, or whose outcome is not yet delivered. */
    public int heldOperations() {
        return supervisor.running().size();
    }

    /**
     * Takes no more work, asks what runs to stop at its next safe point, and waits: for the work up to the grace, for its
     * outcomes to be delivered a little longer. What is then left is in the journal, for the next start.
     */
    public void stop(Duration grace) throws InterruptedException {
        claiming.forEach(Thread::interrupt);
        supervisor.forEach(HeldOperation::daemonStops);
        boolean ended = supervisor.awaitEnded(grace);
        boolean delivered = ended && supervisor.awaitSettled(timing.deliveryGrace());
        if (!delivered) {
            LOG.atWarn()
                    .addKeyValue(LogKeys.REASON, ended ? "outcomes are not delivered" : "operations are not at an end")
                    .log("stopping all the same; the next start goes on from the journal");
        }
        threads.interruptAll();
        if (ended) {
            // Never in the middle of work: interrupting a stage would make a failure of what only needs the next start.
            operationThreads.interruptAll();
        }
        client.close();
        LOG.atInfo()
                .addKeyValue(LogKeys.OUTCOME, delivered ? "clean" : "unfinished")
                .log("agent stopped");
    }

    private void watchClock() throws InterruptedException {
        while (true) {
            supervisor.lookAtTheClock();
            Thread.sleep(CLOCK_TICK);
        }
    }
}
