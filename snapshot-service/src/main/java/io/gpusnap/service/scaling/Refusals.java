package io.gpusnap.service.scaling;

import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.transaction.TransactionException;

/** What a caller over gRPC is told instead of an answer. */
final class Refusals {
    private static final Logger LOG = LoggerFactory.getLogger(Refusals.class);

    private Refusals() {}

    static StatusRuntimeException statusOf(RuntimeException refusal) {
        return switch (refusal) {
            case StatusRuntimeException status -> status;
            case ScalerQuery.RefusedException bad ->
                Status.INVALID_ARGUMENT.withDescription(bad.getMessage()).asRuntimeException();
            case ApiException api ->
                (api.code() == ErrorCode.MODEL_NOT_FOUND ? Status.NOT_FOUND : Status.FAILED_PRECONDITION)
                        .withDescription(api.code() + ": " + api.detail())
                        .asRuntimeException();
            case DataAccessException database -> unavailable(database);
            case TransactionException database -> unavailable(database);
            default -> {
                LOG.error("a call of the scaler failed", refusal);
                yield Status.INTERNAL.withDescription("see the service's log").asRuntimeException();
            }
        };
    }

    private static StatusRuntimeException unavailable(RuntimeException database) {
        LOG.info("a call of the scaler found no database: {}", database.getMessage());
        return Status.UNAVAILABLE
                .withDescription("the database does not answer")
                .asRuntimeException();
    }
}
