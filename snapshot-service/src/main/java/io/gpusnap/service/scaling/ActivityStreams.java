package io.gpusnap.service.scaling;

import externalscaler.IsActiveResponse;
import io.gpusnap.service.forecast.Demand;
import io.gpusnap.service.platform.notice.NoticeListener;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.springframework.scheduling.annotation.Scheduled;

/**
 * The streams that are open here. A notice of the database has those of its model looked at, whichever instance the demand was
 * reported to; besides, all are looked at now and then.
 */
class ActivityStreams implements NoticeListener, AutoCloseable {
    /** So many looks at a time: a notice for a model with many triggers must not take every connection of the pool. */
    private static final int LOOKS_AT_ONCE = 4;

    private final Set<ActivityStream> open = ConcurrentHashMap.newKeySet();
    private final ExecutorService looks = Executors.newFixedThreadPool(
            LOOKS_AT_ONCE, Thread.ofVirtual().name("scaler-look-", 0).factory());
    private final ScalerValues values;
    private final ScalerSettings settings;
    private final ScalerMetrics metrics;

    ActivityStreams(ScalerValues values, ScalerSettings settings, ScalerMetrics metrics) {
        this.values = values;
        this.settings = settings;
        this.metrics = metrics;
        metrics.streams(open::size);
    }

    /** Opens one; it ends when its caller goes, or with {@link #end}. */
    void open(ScalerQuery query, ServerCallStreamObserver<IsActiveResponse> caller) {
        if (open.size() >= settings.maxStreams()) {
            throw Status.RESOURCE_EXHAUSTED
                    .withDescription("gpusnap.scaler.max-streams (" + settings.maxStreams() + ") are open")
                    .asRuntimeException();
        }
        ActivityStream stream = new ActivityStream(query, values, metrics, caller);
        caller.setOnCancelHandler(() -> open.remove(stream));
        caller.setOnCloseHandler(() -> open.remove(stream));
        // Open first, so that a change during the first look is not missed.
        open.add(stream);
        stream.look();
    }

    boolean isOpenFor(String model) {
        return open.stream().anyMatch(stream -> stream.model().equals(model));
    }

    @Override
    public String channel() {
        return Demand.CHANGED_CHANNEL;
    }

    @Override
    public void heard(String model) {
        open.stream().filter(stream -> stream.model().equals(model)).forEach(stream -> stream.changed(looks));
    }

    @Override
    public void listening() {
        open.forEach(stream -> stream.changed(looks));
    }

    /** One after the other, however many they are. */
    @Scheduled(fixedDelayString = "${gpusnap.scaler.recheck:5s}")
    void recheck() {
        open.forEach(ActivityStream::look);
    }

    /** Ends those that are open; others may be opened after it, when the server starts again. */
    void end() {
        open.forEach(ActivityStream::end);
    }

    @Override
    public void close() {
        looks.shutdown();
    }
}
