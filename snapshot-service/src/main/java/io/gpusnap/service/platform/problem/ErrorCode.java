package io.gpusnap.service.platform.problem;

import java.net.URI;
import org.springframework.http.HttpStatus;

/**
 * Every error that leaves the service, as a problem or as the failure of an operation. A code owns its HTTP status, its
 * title, what to do about it, and where that is written.
 */
public enum ErrorCode {
    INVALID_REQUEST(HttpStatus.BAD_REQUEST, "The request is not valid", "Mend the fields that `errors` points at."),
    MALFORMED_JSON(
            HttpStatus.BAD_REQUEST, "The body is not the JSON that is expected", "Mend the body at the place named."),
    INVALID_PAGE_TOKEN(
            HttpStatus.BAD_REQUEST,
            "The page token does not belong to this listing",
            "Start again without pageToken, and keep the filters while paging."),
    IDEMPOTENCY_KEY_MISSING(
            HttpStatus.BAD_REQUEST,
            "A create needs an Idempotency-Key",
            "Send `Idempotency-Key: \"<something unique>\"`, and the same one when you retry."),
    UNAUTHENTICATED(
            HttpStatus.UNAUTHORIZED,
            "No valid token",
            "Send `Authorization: Bearer <access token>`; the token is in the data directory's access-token file."),
    STALE_SESSION(
            HttpStatus.UNAUTHORIZED,
            "The node registered again; this session is over",
            "A newer daemon of the same node name took over. Stop this one, or register again."),
    FORBIDDEN(HttpStatus.FORBIDDEN, "Not allowed for this token", "Use the token that belongs to the caller."),
    NOT_FOUND(HttpStatus.NOT_FOUND, "There is no such resource", "Check the address."),
    MODEL_NOT_FOUND(HttpStatus.NOT_FOUND, "There is no such model", "List models, or create it first."),
    VERSION_NOT_FOUND(HttpStatus.NOT_FOUND, "There is no such model version", "List the model's versions."),
    ALIAS_NOT_FOUND(HttpStatus.NOT_FOUND, "There is no such alias", "List the model's aliases, or create it first."),
    SNAPSHOT_NOT_FOUND(HttpStatus.NOT_FOUND, "There is no such snapshot", "List snapshots."),
    RESTORE_NOT_FOUND(HttpStatus.NOT_FOUND, "There is no such restore", "List restores."),
    ROLLOUT_NOT_FOUND(HttpStatus.NOT_FOUND, "There is no such rollout", "List rollouts."),
    OPERATION_NOT_FOUND(HttpStatus.NOT_FOUND, "There is no such operation", "List operations."),
    NODE_NOT_FOUND(HttpStatus.NOT_FOUND, "There is no such node", "List nodes; a daemon registers its node."),
    TIER_POLICY_NOT_FOUND(HttpStatus.NOT_FOUND, "There is no such tier policy", "List tier policies."),
    STORE_NOT_FOUND(HttpStatus.NOT_FOUND, "There is no such store", "List stores; nodes report them with their tiers."),
    GPU_NOT_FOUND(
            HttpStatus.NOT_FOUND,
            "The node has no such GPU",
            "Read the node: name one of its GPUs by UUID or ordinal."),
    POOL_NOT_FOUND(HttpStatus.NOT_FOUND, "There is no such pool", "List pools, or create it first."),
    WORKLOAD_NOT_FOUND(HttpStatus.NOT_FOUND, "There is no such workload", "List workloads; daemons report them."),
    METHOD_NOT_ALLOWED(
            HttpStatus.METHOD_NOT_ALLOWED, "The resource does not take this method", "See the Allow header."),
    NOT_ACCEPTABLE(HttpStatus.NOT_ACCEPTABLE, "No representation fits the Accept header", "Accept application/json."),
    REQUEST_TIMEOUT(
            HttpStatus.REQUEST_TIMEOUT, "The body did not arrive in time", "Send the body without long pauses."),
    NAME_TAKEN(HttpStatus.CONFLICT, "The name is in use", "Choose another name, or change the existing resource."),
    IN_USE(HttpStatus.CONFLICT, "Something else still needs it", "End or delete what uses it first."),
    VERSION_IMMUTABLE(
            HttpStatus.CONFLICT,
            "A READY snapshot keeps this version as it is",
            "Create a new version with this one as its `parent`."),
    CONFLICT(
            HttpStatus.CONFLICT,
            "The resource's state does not allow this",
            "Read the resource again and decide anew."),
    COPY_PROMISED(
            HttpStatus.CONFLICT,
            "A tier policy promises this copy",
            "Have another copy made first, or change the policy that the detail names."),
    TIER_POLICY_OVERLAP(
            HttpStatus.CONFLICT,
            "Another enabled tier policy is for the same models",
            "One policy decides about a model. Disable the one that the detail names, or name other models."),
    TIER_POLICY_DISABLED(HttpStatus.CONFLICT, "The tier policy is disabled", "Enable it, or ask for a dry run."),
    IDEMPOTENCY_IN_FLIGHT(
            HttpStatus.CONFLICT,
            "The first request with this Idempotency-Key is still running",
            "Retry after a moment with the same key."),
    OPERATION_FINISHED(HttpStatus.CONFLICT, "The operation is over", "Its outcome stands; read the operation."),
    STALE_EPOCH(
            HttpStatus.CONFLICT,
            "Another claim of the operation is the valid one",
            "The daemon must stop working on it and undo what it began."),
    NODE_UNSCHEDULABLE(HttpStatus.CONFLICT, "The node is cordoned", "Set schedulable to true, or choose another node."),
    NODE_SILENT(
            HttpStatus.CONFLICT,
            "The node's daemon has not been heard from lately",
            "Check that the daemon runs and reaches the service."),
    NO_NODE(HttpStatus.CONFLICT, "No node can do this now", "The detail says for each node why not."),
    SNAPSHOT_NOT_READY(HttpStatus.CONFLICT, "The snapshot is not READY", "Only READY snapshots can be restored."),
    SNAPSHOT_QUARANTINED(
            HttpStatus.CONFLICT,
            "The snapshot failed verification and is never restored",
            "Delete it and take a new one."),
    WORKLOAD_NOT_RUNNING(
            HttpStatus.CONFLICT, "The workload is not running", "Wait until it runs, or choose another one."),
    WORKLOAD_NOT_SUSPENDED(
            HttpStatus.CONFLICT,
            "The workload is not suspended",
            "Only a suspended one can be switched to: suspend it with a snapshot of engine `suspend` first."),
    WORKLOAD_BUSY(
            HttpStatus.CONFLICT,
            "Another operation works on this workload",
            "Wait for that operation to end, or cancel it."),
    PRECONDITION_FAILED(
            HttpStatus.PRECONDITION_FAILED,
            "The resource changed meanwhile",
            "Read it again and retry with its new ETag."),
    PAYLOAD_TOO_LARGE(HttpStatus.CONTENT_TOO_LARGE, "The body is too large", "The detail names the limit."),
    UNSUPPORTED_MEDIA_TYPE(
            HttpStatus.UNSUPPORTED_MEDIA_TYPE, "The body's media type is not taken", "Send application/json."),
    IDEMPOTENCY_KEY_REUSED(
            HttpStatus.UNPROCESSABLE_CONTENT,
            "The Idempotency-Key was used for another request",
            "Use a new key for a new request."),
    PRECONDITION_REQUIRED(
            HttpStatus.PRECONDITION_REQUIRED,
            "A change needs If-Match",
            "Send the ETag that you read, so that no change made meanwhile is lost."),
    DATABASE_UNAVAILABLE(
            HttpStatus.SERVICE_UNAVAILABLE,
            "The database does not answer",
            "Retry; see the service's log if it lasts."),
    SHUTTING_DOWN(HttpStatus.SERVICE_UNAVAILABLE, "The service is stopping", "Retry after a moment."),
    NODE_LOST(
            HttpStatus.CONFLICT,
            "The node was not heard from for too long",
            "What it was doing is given up. Its workloads come back when the daemon does."),

    // From here on: the failure codes that daemons report (docs/control-plane.md), shared by name with the daemon.
    WORKLOAD_NOT_MANAGED(
            HttpStatus.CONFLICT,
            "The workload runs without the gpusnap preload",
            "Start it with LD_PRELOAD=libgpusnap-preload.so and GPUSNAP_WORKLOAD=<name>."),
    WORKLOAD_UNSUPPORTED(
            HttpStatus.CONFLICT,
            "The workload uses something that cannot be frozen",
            "The detail names it: MIG, managed memory, MPS, io_uring, or memory shared with another process."),
    WORKLOAD_LOST(HttpStatus.CONFLICT, "The workload is gone", "Start it anew, or restore a full snapshot."),
    GPU_MISMATCH(
            HttpStatus.CONFLICT,
            "The snapshot is of other GPUs",
            "Restore it where the named GPU model is, as often as the workload saw it: one that uses one GPU is best shown one only."),
    DRIVER_MISMATCH(
            HttpStatus.CONFLICT,
            "The snapshot is of another driver",
            "Restore it under the named driver, or take a new one."),
    INCOMPATIBLE(
            HttpStatus.CONFLICT,
            "The snapshot does not fit this machine",
            "The detail names both sides of what differs."),
    INSUFFICIENT_VRAM(HttpStatus.CONFLICT, "Not enough free GPU memory", "Free GPU memory, or choose another node."),
    INSUFFICIENT_SPACE(
            HttpStatus.CONFLICT, "Not enough free space", "Free space on the named tier, or delete snapshots."),
    CHUNK_CORRUPT(
            HttpStatus.CONFLICT,
            "A stored chunk has another digest",
            "Delete the snapshot and take a new one; check the disk."),
    CHUNK_MISSING(HttpStatus.CONFLICT, "A stored chunk is missing", "Delete the snapshot and take a new one."),
    MANIFEST_INVALID(
            HttpStatus.UNPROCESSABLE_CONTENT,
            "The manifest is not valid",
            "Daemon and service must speak the same manifest schema and digest its exact bytes."),
    KEY_MISSING(
            HttpStatus.CONFLICT,
            "The node has no key for this copy",
            "Give the node the tenant's key (tiers.keyFile, tiers.tenant), or choose a node that has it; the copy is as good as before."),
    SIGNER_UNTRUSTED(
            HttpStatus.CONFLICT,
            "The node does not trust who signed this copy",
            "Add the signer's public key to the node's tiers.trustedKeysFile, if it is to be trusted; the copy is as good as before."),
    PID_CONFLICT(HttpStatus.CONFLICT, "The process id is taken", "End the process that holds it."),
    PORT_CONFLICT(HttpStatus.CONFLICT, "A listening port is taken", "End the process that listens there."),
    PATH_MISSING(HttpStatus.CONFLICT, "A file or folder of the process is missing", "Put back what the detail names."),
    CONTAINER_NOT_FOUND(
            HttpStatus.CONFLICT,
            "The node has no such container of that pod",
            "A pod that was made anew has another UID; read its status again."),
    CONTAINER_NOT_READY(
            HttpStatus.CONFLICT,
            "The container does not wait for a thaw",
            "Start its command under gpusnap-placeholder with --wait; one that has started cold waits no more."),
    CRIU_UNAVAILABLE(
            HttpStatus.CONFLICT,
            "CRIU is missing or too old",
            "Install CRIU 4.1 or newer, from Linux 6.16 on 4.2 or newer; `gpusnap-node doctor` says how."),
    CRIU_FAILED(HttpStatus.CONFLICT, "CRIU failed", "The detail has its last error; the node keeps the log."),
    ANSWER_WRONG(
            HttpStatus.CONFLICT,
            "The process did not answer as its version should",
            "It was ended before it got any traffic; take a new snapshot, or mend the version's oracle."),
    DRIVER_FAILED(HttpStatus.CONFLICT, "The CUDA driver failed", "The detail has the driver's error."),
    QUIESCE_TIMEOUT(HttpStatus.CONFLICT, "The workload did not come to rest in time", "Retry when it is less busy."),
    WORKLOAD_REFUSED(
            HttpStatus.CONFLICT,
            "The workload refused to be frozen",
            "A quiesce callback of the application said no; the detail has its reason. Retry when that no longer holds."),
    PROTOCOL_ERROR(
            HttpStatus.CONFLICT,
            "Daemon and preload do not understand each other",
            "Use the preload of the daemon's release."),
    CAPABILITY_MISSING(
            HttpStatus.CONFLICT,
            "The node cannot do this",
            "The detail has the reason; `gpusnap-node doctor` says how to mend it."),
    STORE_ERROR(HttpStatus.CONFLICT, "The node's store failed", "Check the disk that the detail names."),
    DAEMON_RESTARTED(HttpStatus.CONFLICT, "The daemon restarted in the middle", "Everything was undone; try again."),
    LEASE_LOST(
            HttpStatus.CONFLICT,
            "The node stopped reporting on the operation",
            "It was handed out as often as allowed; check the daemon, then try again."),
    TIER_UNAVAILABLE(
            HttpStatus.CONFLICT,
            "A tier does not answer as it should",
            "Look at the node's tiers: the reason is there. Mend the mount, the endpoint or the credentials, then try again."),
    TIER_MISMATCH(
            HttpStatus.CONFLICT,
            "The node has no such tier, or another store is behind its name",
            "Read the node's tiers again; put back the tier's settings if they were changed by mistake."),
    OBJECT_GONE(
            HttpStatus.CONFLICT,
            "An object that the copy was to share has been swept",
            "Try again: what the store lacks is then copied."),
    PREEMPTED(
            HttpStatus.CONFLICT,
            "Something more urgent went first",
            "What was done was undone; ask again once the switch, the thaws or the copies are over."),
    CANCELLED(HttpStatus.CONFLICT, "Cancelled", "It was asked for."),
    INTERNAL(
            HttpStatus.INTERNAL_SERVER_ERROR,
            "Something went wrong inside",
            "The log has it under the incident number of the detail.");

    private final HttpStatus status;
    private final String title;
    private final String advice;

    ErrorCode(HttpStatus status, String title, String advice) {
        this.status = status;
        this.title = title;
        this.advice = advice;
    }

    public HttpStatus status() {
        return status;
    }

    public String title() {
        return title;
    }

    /** What a person can do about it, one sentence in Markdown. */
    public String advice() {
        return advice;
    }

    /** Where the service itself explains the code; also the problem's {@code type}. */
    public URI documentation() {
        return URI.create("/errors/" + name());
    }
}
