package io.gpusnap.service.scaling;

import externalscaler.IsActiveResponse;
import io.gpusnap.service.platform.problem.ApiException;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.OptionalDouble;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.transaction.TransactionException;

/** One trigger's stream: it tells whether there is something to scale for when it is known first, and at each change. */
final class ActivityStream {
    private static final Logger LOG = LoggerFactory.getLogger(ActivityStream.class);

    private final ScalerQuery query;
    private final ScalerValues values;
    private final ScalerMetrics metrics;
    private final ServerCallStreamObserver<IsActiveResponse> caller;
    private final AtomicBoolean due = new AtomicBoolean();
    private @Nullable Boolean told;
    private boolean ended;

    ActivityStream(
            ScalerQuery query,
            ScalerValues values,
            ScalerMetrics metrics,
            ServerCallStreamObserver<IsActiveResponse> caller) {
        this.query = query;
        this.values = values;
        this.metrics = metrics;
        this.caller = caller;
    }

    String model() {
        return query.model();
    }

    /** Has it looked again soon; what comes until then needs no look of its own. */
    void changed(Executor executor) {
        if (due.compareAndSet(false, true)) {
            executor.execute(this::look);
        }
    }

    synchronized void look() {
        // Before the look: what changes from here on is seen by the next one.
        due.set(false);
        if (ended || caller.isCancelled()) {
            return;
        }
        try {
            OptionalDouble value = values.of(query);
            if (value.isPresent()) {
                tell(query.isActive(value.getAsDouble()));
            }
        } catch (ApiException e) {
            // The model is gone.
            ended = true;
            caller.onError(Refusals.statusOf(e));
        } catch (DataAccessException | TransactionException e) {
            // The next look may find the database again.
            LOG.info("no look at the demand of {}: {}", query.model(), e.getMessage());
        }
    }

    private void tell(boolean active) {
        if (told == null || told != active) {
            caller.onNext(IsActiveResponse.newBuilder().setResult(active).build());
            told = active;
            metrics.pushed();
        }
    }

    /** Ends it as KEDA expects of a server that goes: it asks again two seconds later. */
    synchronized void end() {
        if (!ended && !caller.isCancelled()) {
            ended = true;
            caller.onCompleted();
        }
    }
}
