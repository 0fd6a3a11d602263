package io.gpusnap.node.engine.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.gpusnap.gpu.AheadMemory;
import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuStatus;
import io.gpusnap.gpu.HeldMemory;
import io.gpusnap.gpu.RebuildableRange;
import io.gpusnap.gpu.Refusal;
import io.gpusnap.gpu.TargetState;
import io.gpusnap.gpu.TargetStatus;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Several processes as one: what their callbacks may count on, and what is said when they differ. */
class TreeTargetTest {

    private static final Duration LIMIT = Duration.ofSeconds(30);

    @Test
    void callbacksOfSeveralProcessesMeet() throws Exception {
        // given two whose quiesce waits for the other one's, as ending a communicator does
        CyclicBarrier meeting = new CyclicBarrier(2);
        Member first = new Member(limit -> await(meeting, limit));
        Member second = new Member(limit -> await(meeting, limit));
        // when
        new TreeTarget(List.of(first, second)).quiesce(LIMIT);
        // then
        assertThat(first.state).isEqualTo(TargetState.QUIESCED);
        assertThat(second.state).isEqualTo(TargetState.QUIESCED);
    }

    @Test
    void whenOneSaysNoTheOthersGoOnAndItsReasonIsTold() {
        // given one that refuses, one that therefore waits in vain, and one that is quiet
        Member late = new Member(limit -> {
            throw new GpuException(GpuStatus.TIMEOUT, "waited for the other");
        });
        Member refusing = new Member(limit -> {
            throw new GpuException(GpuStatus.REFUSED, "busy");
        });
        Member quiet = new Member(limit -> {});
        TreeTarget tree = new TreeTarget(List.of(late, quiet, refusing));
        // when
        GpuException failure = catchThrowableOfType(GpuException.class, () -> tree.quiesce(LIMIT));
        // then
        assertThat(failure.status()).isEqualTo(GpuStatus.REFUSED);
        assertThat(failure.getSuppressed()).hasSize(1);
        assertThat(quiet.state).isEqualTo(TargetState.RUNNING);
        assertThat(quiet.resumes).isEqualTo(1);
        assertThat(late.resumes + refusing.resumes).isZero();
    }

    @Test
    void aReasonThatOneCannotEndIsCertainForAllOfThem() throws Exception {
        // given one with callbacks and one without, both sharing memory
        Member ending = new Member(limit -> {});
        ending.refusals = EnumSet.of(Refusal.LEGACY_IPC, Refusal.MANAGED_MEMORY);
        ending.endable = EnumSet.of(Refusal.LEGACY_IPC, Refusal.MANAGED_MEMORY, Refusal.MULTICAST);
        Member helpless = new Member(limit -> {});
        helpless.refusals = EnumSet.of(Refusal.LEGACY_IPC);
        // when
        TargetStatus status = new TreeTarget(List.of(ending, helpless)).status();
        // then
        assertThat(status.refusals()).containsExactlyInAnyOrder(Refusal.LEGACY_IPC, Refusal.MANAGED_MEMORY);
        assertThat(status.certainRefusals()).containsExactly(Refusal.LEGACY_IPC);
        assertThat(status.hasQuiesceCallbacks()).isTrue();
    }

    @Test
    void gpusAreThoseOfAllOfThemOrUnknown() throws Exception {
        Member first = new Member(limit -> {});
        Member second = new Member(limit -> {});
        first.gpus = Set.of(1);
        second.gpus = Set.of(3);
        TreeTarget tree = new TreeTarget(List.of(first, second));
        assertThat(tree.gpus()).containsExactly(1, 3);
        second.gpus = Set.of();
        assertThat(tree.gpus()).isEmpty();
    }

    private static void await(CyclicBarrier meeting, Duration limit) throws GpuException {
        try {
            meeting.await(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (Exception e) {
            throw new GpuException(GpuStatus.TIMEOUT, String.valueOf(e));
        }
    }

    @FunctionalInterface
    private interface Quiesce {
        void within(Duration limit) throws GpuException;
    }

    /** A process without memory. */
    private static final class Member implements TargetPort {

        private final Quiesce callbacks;
        private Set<Refusal> refusals = Set.of();
        private Set<Refusal> endable = Set.of();
        private Set<Integer> gpus = Set.of();
        private volatile TargetState state = TargetState.RUNNING;
        private volatile int resumes;

        Member(Quiesce callbacks) {
            this.callbacks = callbacks;
        }

        @Override
        public TargetStatus status() {
            return new TargetStatus(state, refusals, endable, 1, 0, 0, 0, "test");
        }

        @Override
        public void quiesce(Duration timeout) throws GpuException {
            callbacks.within(timeout);
            state = TargetState.QUIESCED;
        }

        @Override
        public List<Allocation> allocations() {
            return List.of();
        }

        @Override
        public List<RebuildableRange> hints() {
            return List.of();
        }

        @Override
        public Set<Integer> gpus() {
            return gpus;
        }

        @Override
        public long importNext() {
            return 0;
        }

        @Override
        public void unimportMemory() {}

        @Override
        public List<HeldMemory> hold() {
            return List.of();
        }

        @Override
        public void giveBack(List<HeldMemory> held) {}

        @Override
        public void giveAhead(List<AheadMemory> ahead) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void release() {
            state = TargetState.RELEASED;
        }

        @Override
        public void remap() {
            state = TargetState.REMAPPED;
        }

        @Override
        public void resume() {
            state = TargetState.RUNNING;
            resumes++;
        }

        @Override
        public void close() {}
    }
}
