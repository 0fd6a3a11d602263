package io.gpusnap.service.node;

import io.gpusnap.service.platform.transaction.DatabaseClock;
import java.time.Duration;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Finds nodes that are not heard any more. Every replica may run it: a row changes state once. The time in which this
 * service itself was not there to listen is not held against a node. Each node has a transaction of its own: what belongs to several is
 * locked by others in another order.
 */
@Component
class SilenceWatch {
    private static final Logger LOG = LoggerFactory.getLogger(SilenceWatch.class);

    private final NodeRepository nodes;
    private final NodeSettings settings;
    private final ApplicationEventPublisher events;
    private final TransactionTemplate transaction;
    private final Instant listeningSince;

    @Autowired
    SilenceWatch(
            NodeRepository nodes,
            NodeSettings settings,
            ApplicationEventPublisher events,
            TransactionTemplate transaction,
            DatabaseClock clock) {
        this(nodes, settings, events, transaction, clock.now());
    }

    SilenceWatch(
            NodeRepository nodes,
            NodeSettings settings,
            ApplicationEventPublisher events,
            TransactionTemplate transaction,
            Instant listeningSince) {
        this.nodes = nodes;
        this.settings = settings;
        this.events = events;
        this.transaction = transaction;
        this.listeningSince = listeningSince;
    }

    @Scheduled(fixedDelayString = "${gpusnap.nodes.check-interval:2s}")
    void look() {
        look(NodeState.ONLINE, NodeState.SILENT, settings.grace());
        look(NodeState.SILENT, NodeState.LOST, settings.lostAfter());
    }

    private void look(NodeState from, NodeState to, Duration limit) {
        nodes.unheard(from, limit, listeningSince)
                .forEach(id -> transaction.executeWithoutResult(status ->
                        nodes.expire(id, from, to, limit, listeningSince).ifPresent(this::announce)));
    }

    private void announce(NodeStateChanged change) {
        LOG.warn("node {} is {}", change.name(), change.state());
        events.publishEvent(change);
    }
}
