package io.gpusnap.service.operation;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.operation.OperationState.Transition;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class OperationStateTest {
    @Test
    void itEndsInExactlyThreeStates() {
        Set<OperationState> ends = EnumSet.noneOf(OperationState.class);
        for (OperationState state : OperationState.values()) {
            if (state.isFinal()) {
                ends.add(state);
            }
        }

        assertThat(ends)
                .containsExactlyInAnyOrder(OperationState.SUCCEEDED, OperationState.FAILED, OperationState.CANCELLED);
        assertThat(OperationState.active()).containsExactly(OperationState.PENDING, OperationState.RUNNING);
    }

    @ParameterizedTest
    @EnumSource
    void nothingSucceedsWithoutHavingRun(OperationState from) {
        assertThat(Transition.allows(from, OperationState.SUCCEEDED)).isEqualTo(from == OperationState.RUNNING);
    }
}
