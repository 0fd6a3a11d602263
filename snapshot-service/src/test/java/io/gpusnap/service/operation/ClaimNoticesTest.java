package io.gpusnap.service.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.testing.ServiceTest;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

@ServiceTest
class ClaimNoticesTest {
    @Autowired
    private ClaimSignals signals;

    @Autowired
    private ClaimNotices notices;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private TransactionTemplate transaction;

    private static boolean isOpen(CountDownLatch latch) {
        return latch.getCount() == 0;
    }

    @Test
    void whatAnotherInstanceQueuesWakesAClaimThatWaitsHere() {
        // given a claim that waits, and another instance's transaction, which only speaks to the database
        NodeId node = NodeId.next();
        CountDownLatch waiting = signals.next(node);

        // when
        jdbc.sql("SELECT pg_notify(?, ?)")
                .params(ClaimNotices.CHANNEL, node.toString())
                .query((row, number) -> true)
                .single();

        // then
        await().atMost(Duration.ofSeconds(30)).until(() -> isOpen(waiting));
    }

    @Test
    void whatIsRolledBackWakesNobody() {
        // given
        NodeId node = NodeId.next();
        NodeId other = NodeId.next();
        CountDownLatch waiting = signals.next(node);
        CountDownLatch later = signals.next(other);

        // when one transaction is rolled back and a later one is not
        transaction.executeWithoutResult(status -> {
            notices.queued(node);
            status.setRollbackOnly();
        });
        transaction.executeWithoutResult(status -> notices.queued(other));

        // then
        await().atMost(Duration.ofSeconds(30)).until(() -> isOpen(later));
        assertThat(isOpen(waiting)).isFalse();
    }
}
