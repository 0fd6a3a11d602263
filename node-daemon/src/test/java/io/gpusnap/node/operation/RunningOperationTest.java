package io.gpusnap.node.operation;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunningOperationTest {

    record Request(String name) {}

    @TempDir
    Path folder;

    private final List<String> calls = new ArrayList<>();
    private Journal journal;

    @BeforeEach
    void openJournal() {
        journal = Journal.open(folder, FactRegistry.of(Request.class));
    }

    /** Notes its calls; the body is what run() does. */
    private class Noting implements Stage {
        interface Body {
            void run(StageContext context) throws StageException, InterruptedException;
        }

        private final String name;
        private final Body body;
        RetryPolicy retry = RetryPolicy.none();
        boolean pointOfNoReturn;
        boolean interruptible;

        Noting(String name, Body body) {
            this.name = name;
            this.body = body;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public RetryPolicy retry() {
            return retry;
        }

        @Override
        public boolean pointOfNoReturn() {
            return pointOfNoReturn;
        }

        @Override
        public boolean interruptible() {
            return interruptible;
        }

        @Override
        public void run(StageContext context) throws StageException, InterruptedException {
            calls.add(name);
            body.run(context);
        }

        @Override
        public void compensate(StageContext context) throws StageException {
            calls.add("undo " + name + (Thread.currentThread().isInterrupted() ? ", interrupted" : ""));
        }
    }

    @Test
    void stagesRunInOrderAndThePlanIsReleasedOnce() {
        AtomicInteger released = new AtomicInteger();
        StagePlan plan = new StagePlan(
                OperationKind.SAVE,
                List.of(
                        new Noting("one", c -> {}),
                        new Noting("two", c -> c.progress().addBytes(7))),
                released::incrementAndGet);

        RunningOperation operation = begin(plan);
        OperationOutcome outcome = operation.run();

        assertThat(outcome).isEqualTo(new OperationOutcome.Succeeded());
        assertThat(calls).containsExactly("one", "two");
        assertThat(released).hasValue(1);
        assertThat(operation.stages())
                .extracting(StageStatus::state)
                .containsExactly(StageState.SUCCEEDED, StageState.SUCCEEDED);
        assertThat(operation.stages().get(1).progress().doneBytes()).isEqualTo(7);
    }

    @Test
    void aFailureUndoesEveryStartedStageInReverseAndSkipsTheRest() {
        RunningOperation operation = begin(
                new Noting("one", c -> {}),
                new Noting("two", c -> {
                    throw new StageException(FailureCode.CRIU_FAILED, "no luck");
                }),
                new Noting("three", c -> {}));

        OperationOutcome outcome = operation.run();

        assertThat(outcome)
                .isEqualTo(new OperationOutcome.Failed(
                        FailureCode.CRIU_FAILED, "no luck", java.util.Optional.of("two"), false, List.of()));
        assertThat(calls).containsExactly("one", "two", "undo two", "undo one");
        assertThat(operation.stages())
                .extracting(StageStatus::state)
                .containsExactly(StageState.COMPENSATED, StageState.COMPENSATED, StageState.SKIPPED);
    }

    @Test
    void aRetryableFailureIsTriedAgainAsOftenAsThePolicySays() {
        AtomicInteger tries = new AtomicInteger();
        Noting flaky = new Noting("flaky", c -> {
            if (tries.incrementAndGet() < 3) {
                throw StageException.retryable(FailureCode.DRIVER_FAILED, "busy");
            }
        });
        flaky.retry = new RetryPolicy(3, Duration.ofMillis(1), 0.5);

        RunningOperation operation = begin(flaky);

        assertThat(operation.run()).isInstanceOf(OperationOutcome.Succeeded.class);
        assertThat(operation.stages().getFirst().attempt()).isEqualTo(3);
    }

    @Test
    void whatIsNotRetryableOrHasNoAttemptLeftFails() {
        Noting hopeless = new Noting("hopeless", c -> {
            throw StageException.retryable(FailureCode.DRIVER_FAILED, "busy");
        });
        hopeless.retry = new RetryPolicy(2, Duration.ofMillis(1), 0);
        assertThat(begin(hopeless).run())
                .isInstanceOfSatisfying(
                        OperationOutcome.Failed.class,
                        failed -> assertThat(failed.retryable()).isTrue());
        assertThat(calls).containsExactly("hopeless", "hopeless", "undo hopeless");
    }

    @Test
    void whatNobodyDeclaredCountsAsInternalAndIsUndone() {
        OperationOutcome outcome = begin(new Noting("odd", c -> {
                    throw new IllegalStateException("surprise");
                }))
                .run();

        assertThat(outcome).isInstanceOfSatisfying(OperationOutcome.Failed.class, failed -> {
            assertThat(failed.code()).isEqualTo(FailureCode.INTERNAL);
            assertThat(failed.detail()).contains("surprise");
        });
        assertThat(calls).containsExactly("odd", "undo odd");
    }

    @Test
    void aCancelStopsAtTheNextSafePointAndUndoes() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        RunningOperation operation = begin(new Noting("copy", c -> {
            inside.countDown();
            while (true) {
                c.checkCancelled();
                Thread.sleep(1);
            }
        }));
        Thread canceller = Thread.startVirtualThread(() -> {
            try {
                inside.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            operation.cancel(FailureCode.LEASE_LOST, "fenced");
        });

        OperationOutcome outcome = operation.run();
        canceller.join();

        assertThat(outcome)
                .isEqualTo(new OperationOutcome.Cancelled(
                        FailureCode.LEASE_LOST, "fenced", java.util.Optional.of("copy"), List.of()));
        assertThat(calls).containsExactly("copy", "undo copy");
    }

    /** Waits for somebody who never comes. */
    private Noting waiting(CountDownLatch inside, Noting.Body whenInterrupted) {
        Noting waiting = new Noting("wait", c -> {
            inside.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                whenInterrupted.run(c);
            }
        });
        waiting.interruptible = true;
        return waiting;
    }

    private static void cancelOnce(CountDownLatch inside, RunningOperation operation) {
        Thread.startVirtualThread(() -> {
            try {
                inside.await();
                operation.cancel(FailureCode.CANCELLED, "enough");
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    @Test
    void aCancelInterruptsAStageThatSaysSoWhateverItMakesOfThat() {
        List<Noting.Body> whatItMakes = List.of(
                c -> {
                    throw new InterruptedException();
                },
                c -> {
                    throw new StageException(FailureCode.TIER_UNAVAILABLE, "interrupted while a store was asked");
                },
                c -> {
                    throw new IllegalStateException("a worker was interrupted");
                });
        for (Noting.Body body : whatItMakes) {
            calls.clear();
            CountDownLatch inside = new CountDownLatch(1);
            RunningOperation operation = begin(waiting(inside, body));
            cancelOnce(inside, operation);

            assertThat(operation.run())
                    .isEqualTo(new OperationOutcome.Cancelled(
                            FailureCode.CANCELLED, "enough", java.util.Optional.of("wait"), List.of()));
            // undoing is able to wait
            assertThat(calls).containsExactly("wait", "undo wait");
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
        }
    }

    @Test
    void aStageThatHadDoneItsWorkWhenItWasInterruptedHasSucceededAndTheNextDoesNotBegin() {
        CountDownLatch inside = new CountDownLatch(1);
        RunningOperation operation = begin(waiting(inside, c -> {}), new Noting("next", c -> {}));
        cancelOnce(inside, operation);

        assertThat(operation.run()).isInstanceOf(OperationOutcome.Cancelled.class);
        assertThat(calls).containsExactly("wait", "undo wait");
        assertThat(operation.stages().getFirst().state()).isEqualTo(StageState.COMPENSATED);
    }

    @Test
    void pastThePointOfNoReturnACancelInterruptsNobody() {
        List<RunningOperation> self = new ArrayList<>();
        Noting last = new Noting("commit", c -> {
            self.getFirst().cancel(FailureCode.LEASE_LOST, "fenced");
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
        });
        last.pointOfNoReturn = true;
        last.interruptible = true;
        self.add(begin(last));

        assertThat(self.getFirst().run()).isInstanceOf(OperationOutcome.Succeeded.class);
    }

    @Test
    void aCancelBeforeTheStartTouchesNothing() {
        RunningOperation operation = begin(new Noting("one", c -> {}));
        operation.cancel(FailureCode.CANCELLED, "changed my mind");

        assertThat(operation.run()).isInstanceOf(OperationOutcome.Cancelled.class);
        assertThat(calls).isEmpty();
        assertThat(operation.stages().getFirst().state()).isEqualTo(StageState.SKIPPED);
    }

    @Test
    void aCancelEndsTheWaitBetweenAttempts() {
        Noting flaky = new Noting("flaky", c -> {
            throw StageException.retryable(FailureCode.DRIVER_FAILED, "busy");
        });
        flaky.retry = new RetryPolicy(2, Duration.ofDays(1), 0);
        RunningOperation operation = begin(flaky);
        Thread.startVirtualThread(() -> {
            while (calls.isEmpty()) {
                Thread.onSpinWait();
            }
            operation.cancel(FailureCode.CANCELLED, "enough");
        });

        assertThat(operation.run()).isInstanceOf(OperationOutcome.Cancelled.class);
    }

    @Test
    void pastThePointOfNoReturnACancelChangesNothing() {
        List<RunningOperation> self = new ArrayList<>();
        Noting last = new Noting("end-process", c -> {
            self.getFirst().cancel(FailureCode.LEASE_LOST, "fenced");
            c.checkCancelled();
        });
        last.pointOfNoReturn = true;
        self.add(begin(last, new Noting("commit", StageContext::checkCancelled)));

        assertThat(self.getFirst().run()).isInstanceOf(OperationOutcome.Succeeded.class);
        assertThat(calls).containsExactly("end-process", "commit");
    }

    @Test
    void whatCannotBeUndoneIsNamedAndTheOthersAreUndoneAllTheSame() {
        Stage stubborn = new Stage() {
            @Override
            public String name() {
                return "stubborn";
            }

            @Override
            public void run(StageContext context) throws StageException {
                throw new StageException(FailureCode.INTERNAL, "broken");
            }

            @Override
            public void compensate(StageContext context) throws StageException {
                throw new StageException(FailureCode.WORKLOAD_LOST, "gone");
            }
        };

        OperationOutcome outcome = begin(new Noting("one", c -> {}), stubborn).run();

        assertThat(outcome)
                .isInstanceOfSatisfying(
                        OperationOutcome.Failed.class,
                        failed -> assertThat(failed.undoProblems()).containsExactly("stubborn: WORKLOAD_LOST gone"));
        assertThat(calls).containsExactly("one", "undo one");
    }

    private RunningOperation begin(Stage... stages) {
        return begin(new StagePlan(OperationKind.SAVE, List.of(stages)));
    }

    private RunningOperation begin(StagePlan plan) {
        OperationSpec spec = new OperationSpec(OperationId.random(), plan.kind(), new Request("test"));
        return new OperationRunner(journal, StageListener.NONE).begin(spec, plan);
    }
}
