package io.gpusnap.node.agent;

import io.gpusnap.node.client.NodeApiClient;
import io.gpusnap.node.client.NodeApiException;
import io.gpusnap.node.client.ProgressReport;
import io.gpusnap.node.client.Session;
import io.gpusnap.node.client.StageReport;
import io.gpusnap.node.operation.LogKeys;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells the service how far an operation is, which also renews its lease, until the operation has ended. */
final class ProgressReporter {

    private static final Logger LOG = LoggerFactory.getLogger(ProgressReporter.class);

    private final NodeApiClient client;
    private final ServiceLink link;
    private final AgentTiming timing;

    ProgressReporter(NodeApiClient client, ServiceLink link, AgentTiming timing) {
        this.client = client;
        this.link = link;
        this.timing = timing;
    }

    void reportUntilEnded(HeldOperation operation) throws InterruptedException {
        while (operation.outcome() == null) {
            Optional<Session> session = link.current();
            if (session.isPresent() && !operation.fenced()) {
                report(operation, session.get());
            }
            Thread.sleep(timing.shortestReport());
            operation.awaitChange(
                    timing.progressInterval().minus(timing.shortestReport()).toMillis());
        }
    }

    private void report(HeldOperation operation, Session session) throws InterruptedException {
        long sentAt = operation.lease().now();
        ProgressReport report = new ProgressReport(
                operation.epoch(),
                operation.running().stages().stream().map(StageReport::of).toList());
        try {
            if (client.progress(session, operation.id(), report).cancelRequested()) {
                operation.cancel();
            }
            operation.lease().renewed(sentAt);
            link.reached();
        } catch (NodeApiException.StaleSession e) {
            link.stale(session, e);
        } catch (NodeApiException.Unavailable e) {
            link.failed(e);
        } catch (NodeApiException.Fenced e) {
            operation.fence(report.epoch(), String.valueOf(e.getMessage()));
        } catch (NodeApiException e) {
            LOG.atWarn()
                    .addKeyValue(LogKeys.OPERATION, operation.id())
                    .addKeyValue(LogKeys.REASON, e.getMessage())
                    .log("progress report refused");
        }
    }
}
