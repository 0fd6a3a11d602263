package io.gpusnap.node.agent;

import io.gpusnap.node.client.Heartbeat;
import io.gpusnap.node.client.HeartbeatAnswer;
import io.gpusnap.node.client.NodeApiClient;
import io.gpusnap.node.client.NodeApiException;
import io.gpusnap.node.client.Session;
import io.gpusnap.node.operation.LogKeys;
import io.gpusnap.node.operation.OperationId;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells the service what the node has and does, and learns what is to be cancelled or is somebody else's. */
final class Heartbeats {

    private static final Logger LOG = LoggerFactory.getLogger(Heartbeats.class);
    private static final Duration NOTABLE_CLOCK_DIFFERENCE = Duration.ofSeconds(30);

    private final NodeApiClient client;
    private final ServiceLink link;
    private final NodeWork work;
    private final OperationSupervisor supervisor;
    private final Semaphore dueAtOnce = new Semaphore(0);
    private final AtomicBoolean telling = new AtomicBoolean();
    private boolean clockDiffers;
    private volatile Duration clockDifference = Duration.ZERO;

    Heartbeats(NodeApiClient client, ServiceLink link, NodeWork work, OperationSupervisor supervisor) {
        this.client = client;
        this.link = link;
        this.work = work;
        this.supervisor = supervisor;
    }

    /** Until interrupted. */
    void run() throws InterruptedException {
        while (true) {
            Session session = link.await();
            beat(session);
            if (dueAtOnce.tryAcquire(session.heartbeatSeconds(), TimeUnit.SECONDS)) {
                dueAtOnce.drainPermits();
            }
        }
    }

    Duration clockDifference() {
        return clockDifference;
    }

    /** The node has changed: the service should not have to wait for it. */
    void soon() {
        dueAtOnce.release();
    }

    private void beat(Session session) throws InterruptedException {
        try {
            // Before the look at what the node has: what is not named here is at its end, and the inventory shows what
            // it left.
            List<Heartbeat.Held> running = supervisor.running();
            Heartbeat heartbeat = new Heartbeat(work.inventory(), work.workloads(), running);
            HeartbeatAnswer answer = client.heartbeat(session, heartbeat);
            link.reached();
            work.serviceTime(answer.serverTime());
            answer.cancelOperations().forEach(id -> supervisor.ifHeld(new OperationId(id), HeldOperation::cancel));
            answer.fencedOperations()
                    .forEach(id -> supervisor.ifHeld(new OperationId(id), operation -> fence(operation, heartbeat)));
            if (answer.endWorkloads() != null) {
                answer.endWorkloads().forEach(process -> end(process.pid(), process.startTimeTicks()));
            }
            if (answer.coldPods() != null && !answer.coldPods().isEmpty()) {
                startCold(answer.coldPods());
            }
            compareClocks(answer);
        } catch (NodeApiException.StaleSession e) {
            link.stale(session, e);
        } catch (NodeApiException.Unavailable e) {
            link.failed(e);
        } catch (NodeApiException e) {
            LOG.atWarn().addKeyValue(LogKeys.REASON, e.getMessage()).log("heartbeat refused");
        } catch (RuntimeException e) {
            LOG.error("heartbeat failed", e);
        }
    }

    private static void fence(HeldOperation operation, Heartbeat heartbeat) {
        heartbeat.runningOperations().stream()
                .filter(held -> held.operationId().equals(operation.id().value()))
                .forEach(held -> operation.fence(held.epoch(), "the service gave the operation to another claim"));
    }

    /** Twice in the world is worse than not at all: the service has decided which of the two goes on. */
    private void end(int pid, long startTimeTicks) {
        LOG.atWarn().addKeyValue("pid", pid).log("a workload came back on another node meanwhile: it is ended here");
        work.end(pid, startTimeTicks);
        soon();
    }

    /** Beside the heartbeats, which do not wait for a container that does not answer; it is told again with a later one. */
    private void startCold(List<String> podUids) {
        if (telling.compareAndSet(false, true)) {
            Thread.ofVirtual().name("start cold").start(() -> {
                try {
                    work.startCold(podUids);
                } finally {
                    telling.set(false);
                }
            });
        }
    }

    private void compareClocks(HeartbeatAnswer answer) {
        Duration difference = Duration.between(InstantSource.system().instant(), answer.serverTime());
        clockDifference = difference;
        boolean differs = difference.abs().compareTo(NOTABLE_CLOCK_DIFFERENCE) > 0;
        if (differs && !clockDiffers) {
            LOG.atWarn()
                    .addKeyValue(LogKeys.SECONDS, difference.toSeconds())
                    .log("this node's clock differs from the service's; leases do not depend on it, time stamps do");
        }
        clockDiffers = differs;
    }
}
