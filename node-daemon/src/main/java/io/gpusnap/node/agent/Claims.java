package io.gpusnap.node.agent;

import io.gpusnap.node.client.Completion;
import io.gpusnap.node.client.NodeApiClient;
import io.gpusnap.node.client.NodeApiException;
import io.gpusnap.node.client.Session;
import io.gpusnap.node.client.Task;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.JournalException;
import io.gpusnap.node.operation.LogKeys;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks the service for work of some kinds while there is room for it. */
final class Claims {

    private static final Logger LOG = LoggerFactory.getLogger(Claims.class);

    private final NodeApiClient client;
    private final ServiceLink link;
    private final OperationSupervisor supervisor;
    private final AgentTiming timing;
    private final Threads operationThreads;
    private final Set<OperationKind> kinds;
    private final Semaphore room;

    Claims(
            NodeApiClient client,
            ServiceLink link,
            OperationSupervisor supervisor,
            AgentTiming timing,
            Threads operationThreads,
            Set<OperationKind> kinds,
            int parallelOperations) {
        this.client = client;
        this.link = link;
        this.supervisor = supervisor;
        this.timing = timing;
        this.operationThreads = operationThreads;
        this.kinds = kinds;
        this.room = new Semaphore(parallelOperations);
    }

    /** Until interrupted. */
    void run() throws InterruptedException {
        int failures = 0;
        while (true) {
            if (failures > 0) {
                Thread.sleep(timing.reconnect().delayAfter(failures, RandomGenerator.getDefault()));
            }
            Session session = link.await();
            room.acquire();
            boolean handedOver = false;
            try {
                Optional<Task> task = client.claim(session, kinds);
                link.reached();
                failures = 0;
                if (task.isPresent()) {
                    handedOver = true;
                    // On a thread that stopping does not interrupt: a claimed operation must reach the journal.
                    operationThreads.start("accept", () -> accept(session, task.get()));
                }
            } catch (NodeApiException.StaleSession e) {
                link.stale(session, e);
            } catch (NodeApiException.Unavailable e) {
                link.failed(e);
                failures++;
            } catch (NodeApiException e) {
                LOG.atWarn().addKeyValue(LogKeys.REASON, e.getMessage()).log("claim refused");
                failures++;
            } finally {
                if (!handedOver) {
                    room.release();
                }
            }
        }
    }

    private void accept(Session session, Task task) throws InterruptedException {
        LOG.atInfo()
                .addKeyValue(LogKeys.OPERATION, task.operationId())
                .addKeyValue(LogKeys.KIND, task.kind())
                .addKeyValue(LogKeys.EPOCH, task.epoch())
                .log("claimed");
        try {
            supervisor.accept(task, session.leaseSeconds(), room::release);
        } catch (JournalException e) {
            room.release();
            LOG.atError()
                    .addKeyValue(LogKeys.OPERATION, task.operationId())
                    .addKeyValue(LogKeys.REASON, e.getMessage())
                    .log("cannot take up the operation");
            tell(session, task, e);
        }
    }

    private void tell(Session session, Task task, JournalException why) throws InterruptedException {
        try {
            client.complete(session, new OperationId(task.operationId()), unjournaled(task, why));
        } catch (NodeApiException e) {
            LOG.atWarn()
                    .addKeyValue(LogKeys.OPERATION, task.operationId())
                    .addKeyValue(LogKeys.REASON, e.getMessage())
                    .log("could not say so either; its lease will run out");
        }
    }

    private static Completion unjournaled(Task task, JournalException e) {
        return new Completion(
                task.epoch(),
                Completion.Outcome.FAILED,
                List.of(),
                new Completion.Failure(FailureCode.STORE_ERROR, String.valueOf(e.getMessage()), null, true),
                null,
                null,
                false);
    }
}
