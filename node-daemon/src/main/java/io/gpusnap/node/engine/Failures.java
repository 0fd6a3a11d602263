package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuStatus;
import io.gpusnap.node.criu.CriuException;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessException;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.NewerManifestException;
import io.gpusnap.node.tier.TierException;
import java.io.IOException;

/** From each part's own failure to the code that leaves the daemon. The one place where they meet. */
final class Failures {

    private Failures() {}

    static StageException typed(Exception e) {
        return switch (e) {
            case StageException already -> already;
            case GpuException gpu -> new StageException(code(gpu.status()), text(gpu), gpu);
            case TierException tier -> ofTier(tier);
            case CriuException criu -> new StageException(FailureCode.CRIU_FAILED, text(criu), criu);
            case NewerManifestException newer -> new StageException(FailureCode.INCOMPATIBLE, text(newer), newer);
            case ManifestException manifest ->
                new StageException(FailureCode.MANIFEST_INVALID, text(manifest), manifest);
            case ProcessException process -> new StageException(FailureCode.INTERNAL, text(process), process);
            case IOException io -> new StageException(FailureCode.STORE_ERROR, String.valueOf(io), io);
            default -> new StageException(FailureCode.INTERNAL, e.toString(), e);
        };
    }

    private static StageException ofTier(TierException e) {
        return switch (e.reason()) {
            case UNAVAILABLE -> StageException.retryable(FailureCode.TIER_UNAVAILABLE, text(e), e);
            case PREEMPTED -> StageException.later(FailureCode.PREEMPTED, text(e), e);
            case MISSING, CORRUPT, NO_KEY, UNTRUSTED, NO_SPACE, IO, IN_USE ->
                new StageException(code(e.reason()), text(e), e);
        };
    }

    private static FailureCode code(GpuStatus status) {
        return switch (status) {
            case NOT_MANAGED -> FailureCode.WORKLOAD_NOT_MANAGED;
            case PROTOCOL -> FailureCode.PROTOCOL_ERROR;
            case TIMEOUT -> FailureCode.QUIESCE_TIMEOUT;
            case PEER_GONE -> FailureCode.WORKLOAD_LOST;
            case NO_DEVICE_MEMORY -> FailureCode.INSUFFICIENT_VRAM;
            case NO_HOST_MEMORY -> FailureCode.INSUFFICIENT_SPACE;
            case NO_DRIVER -> FailureCode.CAPABILITY_MISSING;
            case UNSUPPORTED -> FailureCode.WORKLOAD_UNSUPPORTED;
            case REFUSED -> FailureCode.WORKLOAD_REFUSED;
            case OK, INVALID, DRIVER, STATE, IO, PERMISSION, UNKNOWN -> FailureCode.DRIVER_FAILED;
        };
    }

    private static FailureCode code(TierException.Reason reason) {
        return switch (reason) {
            case MISSING -> FailureCode.CHUNK_MISSING;
            case CORRUPT -> FailureCode.CHUNK_CORRUPT;
            case NO_KEY -> FailureCode.KEY_MISSING;
            case UNTRUSTED -> FailureCode.SIGNER_UNTRUSTED;
            case NO_SPACE -> FailureCode.INSUFFICIENT_SPACE;
            case IO -> FailureCode.STORE_ERROR;
            case UNAVAILABLE -> FailureCode.TIER_UNAVAILABLE;
            case IN_USE -> FailureCode.IN_USE;
            case PREEMPTED -> FailureCode.PREEMPTED;
        };
    }

    private static String text(Exception e) {
        return String.valueOf(e.getMessage());
    }
}
