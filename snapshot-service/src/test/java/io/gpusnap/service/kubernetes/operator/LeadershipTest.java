package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;
import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

@KubernetesTest
class LeadershipTest {
    @Autowired
    private Leadership leadership;

    @Autowired
    private Operator operator;

    @Test
    void oneLeadsAndAnotherTakesOverWithAnotherEpoch() {
        // given this instance leads
        soon().until(operator::idle);
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
}
