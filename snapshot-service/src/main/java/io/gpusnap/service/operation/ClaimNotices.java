package io.gpusnap.service.operation;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.notice.NoticeListener;
import io.gpusnap.service.platform.notice.Notices;
import org.springframework.stereotype.Component;

/**
 * Tells every instance of work that one of them has queued. It only saves time: without a notice a waiting claim's own next
 * look finds the work ({@code docs/decisions/0103-claims-hear-of-work.md}).
 */
@Component
class ClaimNotices implements NoticeListener {
    static final String CHANNEL = "gpusnap_operation_queued";

    private final Notices notices;
    private final ClaimSignals signals;

    ClaimNotices(Notices notices, ClaimSignals signals) {
        this.notices = notices;
        this.signals = signals;
    }

    /** Every instance hears it when the caller's transaction commits, and none if it does not. */
    void queued(NodeId node) {
        notices.send(CHANNEL, node.toString());
    }

    @Override
    public String channel() {
        return CHANNEL;
    }

    @Override
    public void heard(String payload) {
        signals.signal(NodeId.of(payload));
    }

    @Override
    public void listening() {
        signals.signalAll();
    }
}
