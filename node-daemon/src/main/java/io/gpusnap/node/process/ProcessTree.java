package io.gpusnap.node.process;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** A process and all that descend from it. */
public final class ProcessTree {

    private static final Duration DEATH_LIMIT = Duration.ofSeconds(20);
    private static final long POLL_MILLIS = 2;

    private final ProcFs proc;

    public ProcessTree(ProcFs proc) {
        this.proc = proc;
    }

    /** The root first, then its descendants; empty when the root does not live. */
    public List<ProcessId> of(ProcessId root) {
        return proc.isAlive(root) ? descend(Set.of(root)) : List.of();
    }

    /**
     * The roots, then what descends from those of them that are there. A root that is gone has no children any more: its pid
     * may be somebody else's by now, with children of his own.
     */
    public List<ProcessId> descend(Set<ProcessId> roots) {
        List<ProcessStat> all = new ArrayList<>();
        for (int pid : proc.pids()) {
            proc.stat(pid).ifPresent(all::add);
        }
        Set<ProcessId> tree = new LinkedHashSet<>(roots);
        Set<Integer> parents = new HashSet<>();
        all.stream().filter(stat -> roots.contains(stat.id())).forEach(stat -> parents.add(stat.pid()));
        boolean grew = true;
        while (grew) {
            grew = false;
            for (ProcessStat stat : all) {
                if (parents.contains(stat.parent()) && tree.add(stat.id())) {
                    parents.add(stat.pid());
                    grew = true;
                }
            }
        }
        return List.copyOf(tree);
    }

    /** Lets every process of a stopped tree go on. Harmless on one that runs. */
    public void resume(ProcessId root) {
        for (ProcessId process : of(root)) {
            Signals.send(process, "CONT");
        }
    }

    /** Lets these of a stopped tree go on, and no other one. */
    public void resumeOnly(List<ProcessId> processes) {
        processes.forEach(process -> Signals.send(process, "CONT"));
    }

    /** Sends SIGKILL to these, and waits for nothing. */
    public void kill(List<ProcessId> processes) {
        processes.forEach(Signals::kill);
    }

    /**
     * Ends a tree with SIGKILL and returns when nothing of it can run or hold anything any more. Its parent may still have
     * to reap it: until then the pid stays taken.
     *
     * @throws ProcessException when something of it is still there after 20 s: stuck in the kernel
     */
    public void end(ProcessId root) throws ProcessException {
        end(Set.of(root));
    }

    /** The same for several, some of which may be gone: each of the others ends with what descends from it. */
    public void end(Set<ProcessId> roots) throws ProcessException {
        long deadline = System.nanoTime() + DEATH_LIMIT.toNanos();
        Set<ProcessId> known = new LinkedHashSet<>(roots);
        while (true) {
            // Again each time: a process may fork between the look and the kill.
            known.addAll(descend(known));
            List<ProcessId> living = known.stream().filter(proc::isAlive).toList();
            if (living.isEmpty()) {
                return;
            }
            if (System.nanoTime() > deadline) {
                throw new ProcessException("still there 20 s after SIGKILL: " + living);
            }
            living.forEach(Signals::kill);
            pause();
        }
    }

    private static void pause() throws ProcessException {
        try {
            Thread.sleep(POLL_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ProcessException("interrupted while a process was ending");
        }
    }
}
