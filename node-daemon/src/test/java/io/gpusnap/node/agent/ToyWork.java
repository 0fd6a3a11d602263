package io.gpusnap.node.agent;

import io.gpusnap.node.client.Completion;
import io.gpusnap.node.client.Inventory;
import io.gpusnap.node.client.Task;
import io.gpusnap.node.client.Workload;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.OperationLog;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.Stage;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.operation.StagePlan;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** A node whose operations have two stages, {@code work} and {@code commit}, that the test holds and lets go. */
final class ToyWork implements NodeWork {

    record Done(String what) {}

    final CountDownLatch entered = new CountDownLatch(1);
    final CountDownLatch proceed = new CountDownLatch(1);
    final AtomicInteger runs = new AtomicInteger();
    final AtomicInteger undone = new AtomicInteger();
    final AtomicInteger atOnce = new AtomicInteger();
    final AtomicInteger mostAtOnce = new AtomicInteger();
    final List<String> ended = new CopyOnWriteArrayList<>();
    final List<String> startedCold = new CopyOnWriteArrayList<>();
    /** How many stages had been undone when it was said that all has recovered; -1 before that. */
    final AtomicInteger undoneAtRecovery = new AtomicInteger(-1);

    volatile boolean pointOfNoReturn;
    /** What happens while an inventory is taken. */
    volatile Runnable duringInventory = () -> {};

    volatile OnRestart onRestart = OnRestart.COMPENSATE;

    /** GPUs that an operation works with, by its id; without an entry the only one. */
    final Map<OperationId, Set<String>> gpus = new ConcurrentHashMap<>();

    @Override
    public Set<String> resources(OperationSpec spec) {
        return gpus.getOrDefault(spec.id(), Set.of("GPU-0"));
    }

    @Override
    public Set<String> allResources() {
        return Set.of("GPU-0", "GPU-1");
    }

    private final class Work implements Stage {
        @Override
        public String name() {
            return "work";
        }

        @Override
        public boolean pointOfNoReturn() {
            return pointOfNoReturn;
        }

        @Override
        public OnRestart onRestart() {
            return onRestart;
        }

        @Override
        public void run(StageContext context) throws InterruptedException {
            runs.incrementAndGet();
            mostAtOnce.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
            try {
                context.progress().setTotalBytes(100);
                context.progress().addBytes(40);
                entered.countDown();
                while (proceed.getCount() > 0) {
                    context.checkCancelled();
                    Thread.sleep(2);
                }
                context.progress().addBytes(60);
                context.remember(new Done("it"));
            } finally {
                atOnce.decrementAndGet();
            }
        }

        @Override
        public void compensate(StageContext context) {
            undone.incrementAndGet();
        }
    }

    private record Commit() implements Stage {
        @Override
        public String name() {
            return "commit";
        }

        @Override
        public void run(StageContext context) {
            context.progress().addBytes(1);
        }
    }

    @Override
    public StagePlan plan(OperationSpec spec) throws StageException {
        if (spec.request() instanceof Task.Save save && save.engine().equals("unknown")) {
            throw new StageException(FailureCode.CAPABILITY_MISSING, "there is no engine unknown");
        }
        return new StagePlan(spec.kind(), List.of(new Work(), new Commit()));
    }

    @Override
    public Inventory inventory() {
        duringInventory.run();
        return new Inventory(
                "Linux", "6", "x86_64", null, 2, 1L << 30, List.of(), null, null, null, List.of(), List.of(), List.of(),
                null, null, null, null);
    }

    @Override
    public List<Workload> workloads() {
        return List.of(
                new Workload(7, 70, "llm", null, List.of("server"), "RUNNING", 0, 0, List.of(), null, List.of()));
    }

    @Override
    public void recovered() {
        undoneAtRecovery.set(undone.get());
    }

    @Override
    public void end(int pid, long startTimeTicks) {
        ended.add(pid + "/" + startTimeTicks);
    }

    @Override
    public void startCold(List<String> podUids) {
        startedCold.addAll(podUids);
    }

    @Override
    public Result result(OperationLog log) {
        boolean thawed = log.spec().kind() == OperationKind.THAW
                && log.recall(Done.class).isPresent();
        Completion.Thawed details =
                new Completion.Thawed(7, 70, "llm", 1.5, Map.of("work", 1.0), null, null, Map.of("nvme", 4096L));
        return new Result(null, thawed ? details : null, false);
    }
}
