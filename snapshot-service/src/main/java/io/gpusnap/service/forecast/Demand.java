package io.gpusnap.service.forecast;

import io.gpusnap.service.model.Models;
import io.gpusnap.service.platform.problem.ApiException;
import java.util.List;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Demand as it was reported. A repeated report changes at most a step's mean. */
@Service
public class Demand {
    /** A step that nobody reported on is like the one before it; after so many of them nobody wants the model. */
    private static final int LONGEST_GAP_STEPS = 12;

    private final DemandRepository steps;
    private final Models models;
    private final ForecastSettings settings;

    Demand(DemandRepository steps, Models models, ForecastSettings settings) {
        this.steps = steps;
        this.models = models;
        this.settings = settings;
    }

    /**
     * Keeps a report under the step that the database's clock is in.
     *
     * @throws ApiException MODEL_NOT_FOUND
     */
    @Transactional
    public void report(String model, DemandReport report) {
        models.get(model);
        steps.add(model, settings.step(), report);
    }

    /**
     * What is known of the model up to now, the current step included.
     *
     * @throws ApiException MODEL_NOT_FOUND
     */
    @Transactional(readOnly = true)
    public Series history(String model, Signal signal) {
        models.get(model);
        List<DemandRepository.Step> kept = steps.since(model, settings.step(), settings.retention());
        int length = kept.isEmpty() ? 0 : kept.getFirst().ago() + 1;
        return new Series(steps.currentStepEnds(settings.step()), settings.step(), fill(kept, length, signal));
    }

    /** Models that somebody reports on, by name. */
    @Transactional(readOnly = true)
    public List<String> models() {
        return steps.models();
    }

    private static double[] fill(List<DemandRepository.Step> kept, int length, Signal signal) {
        double[] values = new double[length];
        for (int i = 0; i < kept.size(); i++) {
            int from = length - 1 - kept.get(i).ago();
            int until = i + 1 < kept.size() ? length - 1 - kept.get(i + 1).ago() : length;
            for (int at = from; at < Math.min(until, from + LONGEST_GAP_STEPS); at++) {
                values[at] = value(kept.get(i), signal);
            }
        }
        return values;
    }

    private static double value(DemandRepository.Step step, Signal signal) {
        return switch (signal) {
            case REPLICAS -> step.replicas();
            case REQUEST_RATE -> step.requestRate();
            case QUEUE_DEPTH -> step.queueDepth();
        };
    }

    @Scheduled(fixedDelayString = "PT10M", initialDelayString = "PT1M")
    @Transactional
    void forgetOld() {
        steps.forget(settings.retention());
    }
}
