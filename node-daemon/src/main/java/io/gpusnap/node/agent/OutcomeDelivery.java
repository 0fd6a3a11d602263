package io.gpusnap.node.agent;

import io.gpusnap.node.client.NodeApiClient;
import io.gpusnap.node.client.NodeApiException;
import io.gpusnap.node.client.Session;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.Journal;
import io.gpusnap.node.operation.LogKeys;
import io.gpusnap.node.operation.OperationOutcome;
import java.time.InstantSource;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the outcome of an operation to the service, however long that takes, and only then forgets it. An outcome that
 * nobody wants any more is forgotten too, except that of work that went well: see {@link Unwanted}.
 */
final class OutcomeDelivery {

    private static final Logger LOG = LoggerFactory.getLogger(OutcomeDelivery.class);

    private final NodeApiClient client;
    private final ServiceLink link;
    private final Journal journal;
    private final Completions completions;
    private final AgentTiming timing;

    OutcomeDelivery(
            NodeApiClient client, ServiceLink link, Journal journal, Completions completions, AgentTiming timing) {
        this.client = client;
        this.link = link;
        this.journal = journal;
        this.completions = completions;
        this.timing = timing;
    }

    void deliver(HeldOperation operation, OperationOutcome outcome) throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            if (operation.fenced()) {
                refused(operation, outcome, "its epoch is over", false);
                return;
            }
            Session session = link.await();
            long epoch = operation.epoch();
            try {
                client.complete(session, operation.id(), completions.of(operation.log(), outcome, epoch));
                link.reached();
                journal.forget(operation.id());
                return;
            } catch (NodeApiException.StaleSession e) {
                link.stale(session, e);
            } catch (NodeApiException.Fenced e) {
                if (operation.epoch() == epoch) {
                    refused(operation, outcome, String.valueOf(e.getMessage()), e.over());
                    return;
                }
            } catch (NodeApiException.Unavailable e) {
                link.failed(e);
            } catch (NodeApiException e) {
                if (e instanceof NodeApiException.Refused refused && refused.status() == 404) {
                    refused(operation, outcome, String.valueOf(e.getMessage()), true);
                    return;
                }
                LOG.atError()
                        .addKeyValue(LogKeys.OPERATION, operation.id())
                        .addKeyValue(LogKeys.REASON, e.getMessage())
                        .log("the service refuses the outcome; it is kept and offered again");
            }
            Thread.sleep(timing.reconnect().delayAfter(attempt, RandomGenerator.getDefault()));
        }
    }

    /** @param over the service will never hand it out again */
    private void refused(HeldOperation operation, OperationOutcome outcome, String reason, boolean over) {
        LOG.atWarn()
                .addKeyValue(LogKeys.OPERATION, operation.id())
                .addKeyValue(LogKeys.REASON, reason)
                .log("the outcome is not wanted any more");
        if (!over && wouldHarmToRepeat(outcome)) {
            operation.log().remember(new Unwanted(InstantSource.system().instant()));
        } else {
            journal.forget(operation.id());
        }
    }

    /** What was undone for a lost lease may run again; anything else has had its effect, or its final failure. */
    static boolean wouldHarmToRepeat(OperationOutcome outcome) {
        return !(outcome instanceof OperationOutcome.Cancelled c && c.code() == FailureCode.LEASE_LOST);
    }
}
