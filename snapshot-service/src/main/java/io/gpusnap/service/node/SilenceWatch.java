package io.gpusnap.service.node;

import io.gpusnap.service.platform.transaction.DatabaseClock;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/**
 * Finds nodes that are not heard any more. Every replica may run it: a row changes state once. The time in which this
 * service itself was not there to listen is not held against a node.
 */
@Component
class SilenceWatch {
    private static final Logger LOG = LoggerFactory.getLogger(SilenceWatch.class);

    private final NodeRepository nodes;
    private final NodeSettings settings;
    private final ApplicationEventPublisher events;
    private final Instant listeningSince;

    @Autowired
    SilenceWatch(NodeRepository nodes, NodeSettings settings, ApplicationEventPublisher events, DatabaseClock clock) {
        this(nodes, settings, events, clock.now());
    }

    SilenceWatch(
            NodeRepository nodes, NodeSettings settings, ApplicationEventPublisher events, Instant listeningSince) {
        this.nodes = nodes;
        this.settings = settings;
        this.events = events;
        this.listeningSince = listeningSince;
    }

    @Scheduled(fixedDelayString = "${gpusnap.nodes.check-interval:2s}")
    @Transactional
    void look() {
        nodes.expire(NodeState.ONLINE, NodeState.SILENT, settings.grace(), listeningSince)
                .forEach(this::announce);
        nodes.expire(NodeState.SILENT, NodeState.LOST, settings.lostAfter(), listeningSince)
                .forEach(this::announce);
    }

    private void announce(NodeStateChanged change) {
        LOG.warn("node {} is {}", change.name(), change.state());
        events.publishEvent(change);
    }
}
