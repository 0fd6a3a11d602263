package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.AheadMemory;
import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.GpuException;
import java.util.ArrayList;
import java.util.List;

/**
 * Physical memory for the processes of a workload that are not there yet. It is mapped in this process, to be filled there, and
 * becomes theirs by {@link TargetPort#giveAhead}. Making it is for one thread at a time; giving it comes after that.
 */
public final class Ahead implements Arriving, AutoCloseable {

    private final List<AheadMemory> members;
    private final List<Long> left = new ArrayList<>();

    private Ahead(List<AheadMemory> members) {
        this.members = members;
        members.forEach(member -> left.add((long) member.allocations().size()));
    }

    /**
     * Makes nothing yet.
     *
     * @param wanted as {@link TargetPort#allocations} will list them, in that order; GPUs as this process numbers them. What there
     *     are no files for is left out
     * @param members how many processes there are
     */
    public static Ahead open(GpuPort gpu, List<Allocation> wanted, int members) throws GpuException {
        List<AheadMemory> opened = new ArrayList<>();
        try {
            for (int number = 0; number < members; number++) {
                int member = number;
                opened.add(gpu.ahead(wanted.stream()
                        .filter(one -> TreeTarget.member(one.id()) == member)
                        .map(one -> one.withId(TreeTarget.ownId(one.id())))
                        .toList()));
            }
            return new Ahead(List.copyOf(opened));
        } catch (GpuException | RuntimeException e) {
            for (AheadMemory member : opened) {
                closeAfter(e, member);
            }
            throw e;
        }
    }

    /** Those that are made ahead. */
    @Override
    public List<Allocation> allocations() {
        List<Allocation> all = new ArrayList<>();
        for (int number = 0; number < members.size(); number++) {
            long above = TreeTarget.above(number);
            for (Allocation one : members.get(number).allocations()) {
                all.add(one.withId(one.id() | above));
            }
        }
        return List.copyOf(all);
    }

    /** Room was found when it was opened: each call makes the next few, of one member after the other. */
    @Override
    public long importNext() throws GpuException {
        for (int number = 0; number < members.size(); number++) {
            if (left.get(number) > 0) {
                left.set(number, members.get(number).makeNext());
                break;
            }
        }
        return left.stream().mapToLong(Long::longValue).sum();
    }

    /** One a process, in their order: what is given to them. */
    public List<AheadMemory> members() {
        return members;
    }

    /**
     * Unmaps it here; what no process has mapped is freed.
     *
     * @throws GpuException when the driver keeps some of it until this process ends; all of it was tried
     */
    @Override
    public void close() throws GpuException {
        GpuException first = null;
        for (AheadMemory member : members) {
            try {
                member.close();
            } catch (GpuException e) {
                if (first == null) {
                    first = e;
                } else {
                    first.addSuppressed(e);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }

    private static void closeAfter(Exception failure, AheadMemory member) {
        try {
            member.close();
        } catch (GpuException e) {
            failure.addSuppressed(e);
        }
    }
}
