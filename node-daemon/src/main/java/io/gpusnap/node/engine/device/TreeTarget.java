package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.RebuildableRange;
import io.gpusnap.gpu.Refusal;
import io.gpusnap.gpu.TargetState;
import io.gpusnap.gpu.TargetStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * The preloads of several processes as one. Each step is made by those that it is still to be made by, so one that was
 * interrupted half-way goes on where it was when it is repeated.
 */
import java.util.TreeSet;
import java.util.concurrent.FutureTask;
final class TreeTarget implements TargetPort {

    /** Ids of a preload are counted from 1; the member's number goes above them, so the first one's stay as they are. */
    private static final int MEMBER_SHIFT = 48;

    /** @param left of its allocations, how many are not mapped here yet */
    private record ToCome(TargetPort member, long left, long allocations) {}

    private final List<TargetPort> members;
    /** Of each member, in their order; empty while nothing is being mapped. */
    private final List<ToCome> toCome = new ArrayList<>();

    /** @param members in the same order at every save and thaw of a workload */
    TreeTarget(List<TargetPort> members) {
        this.members = List.copyOf(members);
    }

    @FunctionalInterface
    private interface Step {
        void on(TargetPort member) throws GpuException;
    }

    private void those(Set<TargetState> states, Step step) throws GpuException {
        for (TargetPort member : members) {
            if (states.contains(member.status().state())) {
                step.on(member);
            }
        }
    }

    /** The state is that of the member which is furthest from running. */
    @Override
    public TargetStatus status() throws GpuException {
        List<TargetStatus> all = new ArrayList<>();
        for (TargetPort member : members) {
            all.add(member.status());
        }
        Set<Refusal> refusals = EnumSet.noneOf(Refusal.class);
        all.forEach(status -> refusals.addAll(status.refusals()));
        return new TargetStatus(
                furthest(all.stream().map(TargetStatus::state).toList()),
                refusals,
                all.getFirst().protocolVersion(),
                all.stream().mapToLong(TargetStatus::allocationCount).sum(),
                all.stream().mapToLong(TargetStatus::managedBytes).sum(),
                all.stream().mapToLong(TargetStatus::driverBytes).sum(),
                all.getFirst().preloadVersion());
    }

    private static TargetState furthest(List<TargetState> states) {
        for (TargetState state : List.of(TargetState.RELEASED, TargetState.REMAPPED, TargetState.QUIESCED)) {
            if (states.contains(state)) {
                return state;
            }
        }
        return TargetState.RUNNING;
    }

    /** One gate after the other; all are open again when one does not close. */
    @Override
    public void quiesce(Duration timeout) throws GpuException {
        long deadline = System.nanoTime() + timeout.toNanos();
        List<TargetPort> closed = new ArrayList<>();
        try {
            for (TargetPort member : members) {
                member.quiesce(Duration.ofNanos(Math.max(1_000_000, deadline - System.nanoTime())));
                closed.add(member);
            }
        } catch (GpuException e) {
            for (TargetPort member : closed.reversed()) {
                try {
                    member.resume();
                } catch (GpuException stuck) {
                    e.addSuppressed(stuck); // it opens its gate by itself when the connection is closed
                }
            }
            throw e;
        }
    }

    @Override
    public List<Allocation> allocations() throws GpuException {
        List<Allocation> all = new ArrayList<>();
        for (int number = 0; number < members.size(); number++) {
            long above = above(number);
            for (Allocation one : members.get(number).allocations()) {
                all.add(new Allocation(
                        one.id() | above,
                        one.address(),
                        one.sizeBytes(),
                        one.localAddress(),
                        one.gpuOrdinal(),
                        one.flags()));
            }
        }
        return all;
    }

    @Override
    public List<RebuildableRange> hints() throws GpuException {
        List<RebuildableRange> all = new ArrayList<>();
        for (int number = 0; number < members.size(); number++) {
            for (RebuildableRange one : members.get(number).hints()) {
                all.add(new RebuildableRange(
                        one.allocationId() | above(number),
                        one.offsetBytes(),
                        one.sizeBytes(),
                        one.address(),
                        one.tag()));
            }
        }
        return all;
    }

    private static long above(int number) {
        return (long) number << MEMBER_SHIFT;
    }

    /** Room for all of them first, then one member after the other. One that runs again has its memory, and nothing to come. */
    @Override
    public long importNext() throws GpuException {
        if (toCome.isEmpty()) {
            for (TargetPort member : members) {
                TargetStatus status = member.status();
                boolean frozen =
                        Set.of(TargetState.QUIESCED, TargetState.REMAPPED).contains(status.state());
                toCome.add(new ToCome(member, frozen ? member.importNext() : 0, status.allocationCount()));
            }
        } else {
            for (int number = 0; number < toCome.size(); number++) {
                ToCome next = toCome.get(number);
                if (next.left() > 0) {
                    toCome.set(number, new ToCome(next.member(), next.member().importNext(), next.allocations()));
                    break;
                }
            }
        }
        return left();
    }

    /** What lies behind an allocation that is still to come counts as well, whoever has it. */
    private long left() {
        long left = 0;
        for (ToCome one : toCome) {
            left = left > 0 ? left + one.allocations() : one.left();
        }
        return left;
    }

    @Override
    public void unimportMemory() throws GpuException {
        toCome.clear();
        for (TargetPort member : members) {
            member.unimportMemory();
    /** None if one of them does not tell. */
    @Override
    public Set<Integer> gpus() throws GpuException {
        Set<Integer> all = new TreeSet<>();
        for (TargetPort member : members) {
            Set<Integer> own = member.gpus();
            if (own.isEmpty()) {
                return Set.of();
            }
            all.addAll(own);
        }
        return all;
    }

        }
    }

    @Override
    public void release() throws GpuException {
        those(EnumSet.of(TargetState.QUIESCED, TargetState.REMAPPED), TargetPort::release);
    }

    @Override
    public void remap() throws GpuException {
        those(EnumSet.of(TargetState.RELEASED), TargetPort::remap);
    }

    @Override
    public void resume() throws GpuException {
        those(EnumSet.of(TargetState.QUIESCED, TargetState.REMAPPED), TargetPort::resume);
    }

    @Override
    public void close() {
        members.forEach(TargetPort::close);
    }
}
