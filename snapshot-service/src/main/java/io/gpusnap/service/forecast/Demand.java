package io.gpusnap.service.forecast;

import io.gpusnap.service.model.Models;
import io.gpusnap.service.platform.notice.Notices;
import io.gpusnap.service.platform.problem.ApiException;
import java.util.List;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Demand as it was reported. A repeated report changes at most a step's mean. */
@Service
public class Demand {
    /** Notices with the name of a model whose latest demand has other values than before. */
    public static final String CHANGED_CHANNEL = "gpusnap_demand_changed";

    /** A step that nobody reported on is like the one before it; after so many of them nobody wants the model. */
    private static final int LONGEST_GAP_STEPS = 12;

    private final DemandRepository steps;
    private final LatestDemandRepository latest;
    private final Models models;
    private final ForecastSettings settings;
    private final Notices notices;
    private final ApplicationEventPublisher events;

    Demand(
            DemandRepository steps,
            LatestDemandRepository latest,
            Models models,
            ForecastSettings settings,
            Notices notices,
            ApplicationEventPublisher events) {
        this.steps = steps;
        this.latest = latest;
        this.models = models;
        this.settings = settings;
        this.notices = notices;
        this.events = events;
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
        if (latest.keep(model, report)) {
            notices.send(CHANGED_CHANNEL, model);
        }
    }

    /**
     * Keeps how many replicas an autoscaler or a deployment wants, which says nothing of rates and queues. A wish that goes on
     * has to be said again now and then: what nobody repeats is forgotten.
     *
     * @throws ApiException MODEL_NOT_FOUND
     */
    @Transactional
    public void wanted(String model, int replicas) {
        models.get(model);
        steps.addWanted(model, settings.step(), replicas);
        if (latest.keepWanted(model, replicas)) {
            notices.send(CHANGED_CHANNEL, model);
            events.publishEvent(new WantedChanged(model));
        }
    }

    /**
     * The last that was reported.
     *
     * @throws ApiException MODEL_NOT_FOUND
     */
    @Transactional(readOnly = true)
    public LatestDemand latest(String model) {
        models.get(model);
        return latest.find(model).orElse(new LatestDemand(null, null));
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
        List<DemandRepository.Step> telling = signal == Signal.REPLICAS
                ? kept
                : kept.stream().filter(step -> step.samples() > 0).toList();
        return new Series(steps.currentStepEnds(settings.step()), settings.step(), fill(telling, length, signal));
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
