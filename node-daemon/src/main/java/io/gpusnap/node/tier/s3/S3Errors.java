package io.gpusnap.node.tier.s3;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.net.SocketTimeoutException;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.ApiCallAttemptTimeoutException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** From what the SDK throws to what a caller can do about it. */
final class S3Errors {

    private static final int TIMEOUT = 408;
    private static final int CONFLICT = 409;
    private static final int PRECONDITION_FAILED = 412;
    private static final int TOO_MANY = 429;
    private static final int NOT_FOUND = 404;
    private static final int OUT_OF_RANGE = 416;
    private static final int NOT_IMPLEMENTED = 501;

    private S3Errors() {}

    static boolean isNotFound(SdkException e) {
        return e instanceof S3Exception s3 && s3.statusCode() == NOT_FOUND;
    }

    /** The object ends before the range that was asked for begins. */
    static boolean isOutOfRange(SdkException e) {
        return e instanceof S3Exception s3 && s3.statusCode() == OUT_OF_RANGE;
    }

    /** The store is well, and says so of an object. */
    static boolean isAboutTheObject(SdkException e) {
        return isNotFound(e) || isOutOfRange(e) || isThere(e);
    }

    /** Somebody else has made the object: 412, or 409 while both were at it. */
    static boolean isThere(SdkException e) {
        return e instanceof S3Exception s3 && s3.statusCode() == PRECONDITION_FAILED;
    }

    /** Whether the same request may succeed in a moment. */
    static boolean passes(SdkException e) {
        if (isRefused(e) || e instanceof AbortedException) {
            return false;
        }
        if (e instanceof S3Exception s3) {
            int status = s3.statusCode();
            // 200 with an error in its body, and status 0, are failures of the moment as well.
            return status >= 500 && status != NOT_IMPLEMENTED
                    || status == TOO_MANY
                    || status == TIMEOUT
                    || status == CONFLICT
                    || status < 300;
        }
        return true;
    }

    /** Nothing came for as long as a request may take: whoever asks again waits as long again. */
    static boolean isSilence(SdkException e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof ApiCallTimeoutException
                    || cause instanceof ApiCallAttemptTimeoutException
                    || cause instanceof SocketTimeoutException) {
                return true;
            }
        }
        return false;
    }

    /** The store does not know what the request's headers ask for. */
    static boolean isNotKnown(SdkException e) {
        return e instanceof S3Exception s3 && s3.statusCode() == NOT_IMPLEMENTED;
    }

    static TierException typed(String doing, SdkException e) {
        boolean passing = passes(e) || e instanceof AbortedException;
        return new TierException(
                passing ? Reason.UNAVAILABLE : Reason.IO, "cannot %s: %s".formatted(doing, text(e)), e);
    }

    private static boolean isRefused(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof CheckedNames.RefusedAddressException) {
                return true;
            }
        }
        return false;
    }

    private static String text(SdkException e) {
        if (e instanceof S3Exception s3) {
            String code = s3.awsErrorDetails() == null
                    ? ""
                    : " " + s3.awsErrorDetails().errorCode() + ": "
                            + s3.awsErrorDetails().errorMessage();
            return "the store answers " + s3.statusCode() + code;
        }
        Throwable last = e;
        while (last.getCause() != null) {
            last = last.getCause();
        }
        return last == e ? String.valueOf(e.getMessage()) : e.getMessage() + " (" + last.getMessage() + ")";
    }
}
