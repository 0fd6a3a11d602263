package io.gpusnap.service.schedule.simulation;

import io.gpusnap.service.schedule.core.Decision;
import java.util.Optional;

/**
 * What a scheduler did with a scenario.
 *
 * @param starts replicas that were resumed or thawed
 * @param resumes of them, from a suspended process on the node
 * @param switches starts for which another replica had to leave
 * @param suspends replicas that left because nobody wanted them
 * @param unexplained decisions without a reason: must be 0
 * @param waits wishes for a replica; one that was taken back, or stands at the end, counts with the time that it waited in vain
 * @param longestWithoutReplicaSeconds the longest that a model which was to have replicas had none
 * @param seconds that the run took
 */
record SimulationResult(
        String scheduler,
        int starts,
        int resumes,
        int switches,
        int suspends,
        int unexplained,
        int waits,
        double medianWaitSeconds,
        double p95WaitSeconds,
        double longestWaitSeconds,
        double longestWithoutReplicaSeconds,
        String longestWithoutReplicaModel,
        double seconds) {

    /** Counts while a simulation runs. */
    static final class Counts {
        private int starts;
        private int resumes;
        private int switches;
        private int suspends;
        private int unexplained;

        void decided(Decision decision) {
            for (Decision.Action action : decision.actions()) {
                switch (action) {
                    case Decision.Resume resume -> {
                        resumes++;
                        started(resume.instead());
                    }
                    case Decision.Thaw thaw -> started(thaw.instead());
                    case Decision.Suspend suspend -> suspends++;
                }
                unexplained += action.reason().isBlank() ? 1 : 0;
            }
            unexplained += (int) decision.waiting().stream()
                    .filter(waiting -> waiting.reason().isBlank())
                    .count();
        }

        private void started(Optional<?> instead) {
            starts++;
            switches += instead.isPresent() ? 1 : 0;
        }

        SimulationResult result(String scheduler, Waits waits, double seconds) {
            return new SimulationResult(
                    scheduler,
                    starts,
                    resumes,
                    switches,
                    suspends,
                    unexplained,
                    waits.count(),
                    waits.quantile(0.5),
                    waits.quantile(0.95),
                    waits.quantile(1),
                    waits.longestWithout(),
                    waits.longestWithoutModel(),
                    seconds);
        }
    }
}
