package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.AheadMemory;
import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuStatus;
import io.gpusnap.gpu.HeldMemory;
import io.gpusnap.gpu.RebuildableRange;
import io.gpusnap.gpu.Refusal;
import io.gpusnap.gpu.TargetState;
import io.gpusnap.gpu.TargetStatus;
import io.gpusnap.node.transfer.Joining;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.FutureTask;

/**
 * The preloads of several processes as one. Each step is made by those that it is still to be made by, so one that was
 * interrupted half-way goes on where it was when it is repeated.
 */
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
        Set<Refusal> endable = EnumSet.noneOf(Refusal.class);
        all.forEach(status -> {
            refusals.addAll(status.refusals());
            endable.addAll(status.endable());
        });
        all.forEach(status -> endable.removeAll(status.certainRefusals()));
        return new TargetStatus(
                furthest(all.stream().map(TargetStatus::state).toList()),
                refusals,
                endable,
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

    /**
     * All at the same time: a callback may have to meet those of the other processes, as ending a communicator does. All gates
     * are open again when one does not close.
     */
    @Override
    public void quiesce(Duration timeout) throws GpuException {
        Map<TargetPort, FutureTask<Void>> tasks = new LinkedHashMap<>();
        for (TargetPort member : members) {
            tasks.put(member, new FutureTask<>(() -> {
                member.quiesce(timeout);
                return null;
            }));
        }
        // Platform threads: each is in a native call for most of its time.
        Joining.all(tasks.values().stream()
                .map(task -> Thread.ofPlatform().daemon().name("quiesce").start(task))
                .toList());
        List<Throwable> failures = tasks.values().stream()
                .filter(task -> task.state() == FutureTask.State.FAILED)
                .map(FutureTask::exceptionNow)
                // One that said no is why another waited for it in vain.
                .sorted(Comparator.comparing(TreeTarget::isTimeout))
                .toList();
        if (!failures.isEmpty()) {
            tasks.entrySet().removeIf(entry -> entry.getValue().state() == FutureTask.State.FAILED);
            throw given(failures, List.copyOf(tasks.keySet()));
        }
    }

    private static boolean isTimeout(Throwable failure) {
        return failure instanceof GpuException gpu && gpu.status() == GpuStatus.TIMEOUT;
    }

    private static GpuException given(List<Throwable> failures, List<TargetPort> closed) {
        Throwable first = failures.getFirst();
        failures.stream().skip(1).forEach(first::addSuppressed);
        for (TargetPort member : closed.reversed()) {
            try {
                member.resume();
            } catch (GpuException stuck) {
                first.addSuppressed(stuck); // it opens its gate by itself when the connection is closed
            }
        }
        return switch (first) {
            case GpuException e -> e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException("a quiesce broke", first);
        };
    }

    @Override
    public List<Allocation> allocations() throws GpuException {
        List<Allocation> all = new ArrayList<>();
        for (int number = 0; number < members.size(); number++) {
            long above = above(number);
            for (Allocation one : members.get(number).allocations()) {
                all.add(one.withId(one.id() | above));
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

    static long above(int number) {
        return (long) number << MEMBER_SHIFT;
    }

    /** Whose allocation it is. */
    static int member(long id) {
        return (int) (id >>> MEMBER_SHIFT);
    }

    /** As the member itself counts. */
    static long ownId(long id) {
        return id & ((1L << MEMBER_SHIFT) - 1);
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
        }
    }

    @Override
    public List<HeldMemory> hold() throws GpuException {
        List<HeldMemory> all = new ArrayList<>();
        try {
            for (TargetPort member : members) {
                all.addAll(member.hold());
            }
            return List.copyOf(all);
        } catch (GpuException e) {
            all.forEach(HeldMemory::close);
            throw e;
        }
    }

    /** Each gets its own; one that runs by now has never let its memory go. */
    @Override
    public void giveBack(List<HeldMemory> held) throws GpuException {
        if (held.isEmpty()) {
            return;
        }
        for (int number = 0; number < members.size(); number++) {
            TargetPort member = members.get(number);
            if (member.status().state() == TargetState.RELEASED) {
                member.giveBack(List.of(held.get(number)));
            }
        }
    }

    /** Each gets its own. */
    @Override
    public void giveAhead(List<AheadMemory> ahead) throws GpuException {
        for (int number = 0; number < members.size(); number++) {
            TargetPort member = members.get(number);
            if (member.status().state() == TargetState.RELEASED) {
                member.giveAhead(List.of(ahead.get(number)));
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
