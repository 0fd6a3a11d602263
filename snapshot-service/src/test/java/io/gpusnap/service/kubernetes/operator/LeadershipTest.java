package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;
import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.kubernetes.testing.HiddenKind;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;

@KubernetesTest
class LeadershipTest {
    private static final String MODELS = "/apis/gpusnap.io/v1alpha1/models";

    @Autowired
    private Leadership leadership;

    @Autowired
    private Operator operator;

    @Autowired
    private HiddenKind hidden;

    @Autowired
    private JdbcClient jdbc;

    @BeforeEach
    void givenThisInstanceLeads() {
        soon().until(operator::idle);
    }

    @AfterEach
    void itLeadsAgain() {
        hidden.show();
        operator.stop();
        operator.start();
        soon().until(operator::idle);
    }

    @Test
    void oneLeadsAndAnotherTakesOverWithAnotherEpoch() {
        assertThat(leadership.someoneLeads()).isTrue();
        assertThat(leadership.take("another")).isEmpty();

        // when it stops, then it lets go at once
        operator.stop();
        OptionalLong epoch = leadership.take("another");
        assertThat(epoch).isPresent();
        assertThat(leadership.take("another")).as("renewed, not taken anew").isEqualTo(epoch);

        // then it waits while the other one leads, and leads again after that
        operator.start();
        assertThat(operator.idle()).isFalse();
        leadership.release("another");
        soon().until(operator::idle);
        assertThat(leadership.take("another")).isEmpty();
    }

    private Instant leaseUntil() {
        return jdbc.sql("SELECT lease_until FROM kubernetes_leader")
                .query(OffsetDateTime.class)
                .single()
                .toInstant();
    }

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void whoCannotListAKindKeepsItsLeaseAndStopsWhenItIsToldTo() {
        // given a definition that is not installed
        operator.stop();
        hidden.hide(MODELS);

        // when it starts, then it leads, and cannot begin
        operator.start();
        soon().until(leadership::someoneLeads);
        for (int renewals = 0; renewals < 2; renewals++) {
            Instant before = leaseUntil();
            soon().until(() -> leaseUntil().isAfter(before));
        }
        assertThat(operator.idle()).isFalse();
        assertThat(leadership.take("another")).isEmpty();

        // when the service ends, then it is over
        operator.stop();
        assertThat(leadership.take("another")).isPresent();
        leadership.release("another");
    }
}
