package io.gpusnap.node.cli;

import io.gpusnap.node.operation.FailureCode;

/** What a person can do about a failure, in a few words. */
final class Mends {

    private Mends() {}

    static String of(FailureCode code) {
        return switch (code) {
            case WORKLOAD_NOT_FOUND -> "gpusnap-node workloads lists what runs here";
            case WORKLOAD_NOT_MANAGED -> "start it with LD_PRELOAD=libgpusnap-preload.so and GPUSNAP_WORKLOAD=<name>";
            case WORKLOAD_UNSUPPORTED -> "run it without what is named, then save again";
            case WORKLOAD_LOST -> "start the workload anew";
            case GPU_MISMATCH, DRIVER_MISMATCH, INCOMPATIBLE -> "thaw it on a node like the one it was saved on";
            case INSUFFICIENT_VRAM -> "free GPU memory, or choose another GPU with --gpu";
            case INSUFFICIENT_SPACE -> "free space there, or delete snapshots";
            case CHUNK_CORRUPT, CHUNK_MISSING -> "delete the snapshot and save again; check the disk";
            case MANIFEST_INVALID -> "gpusnap-node inspect shows the manifest";
            case KEY_MISSING ->
                "set the key that is named (tiers.keyFile, tiers.tenant); gpusnap-node keys list shows them";
            case SIGNER_UNTRUSTED -> "add the signer's public key to tiers.trustedKeysFile, if it is to be trusted";
            case PID_CONFLICT -> "end the process that has the PID";
            case PORT_CONFLICT -> "end the process that listens there; connections that are closing end by themselves";
            case PATH_MISSING -> "put back what is named";
            case CONTAINER_NOT_FOUND -> "name a container that runs on this node, and its own pod";
            case CONTAINER_NOT_READY -> "start its command under gpusnap-placeholder --wait";
            case CRIU_UNAVAILABLE, CAPABILITY_MISSING -> "gpusnap-node doctor says how to get it";
            case CRIU_FAILED -> "its log is named above where one was kept";
            case ANSWER_WRONG ->
                "its recorded prompt is named above with what came; save a process that answers rightly";
            case DRIVER_FAILED -> "see the driver's error; try again when it is at rest";
            case QUIESCE_TIMEOUT -> "try again when the workload is less busy";
            case WORKLOAD_REFUSED -> "its own callback said why; try again when that no longer holds";
            case PROTOCOL_ERROR -> "use daemon and preload of one release";
            case STORE_ERROR -> "check the disk";
            case TIER_UNAVAILABLE -> "gpusnap-node tiers validate shows what does not work";
            case TIER_MISMATCH -> "gpusnap-node tiers list shows the tiers of this node";
            case CONFLICT -> "it belongs to somebody else";
            case IN_USE -> "wait for what uses it, or end it";
            case DAEMON_RESTARTED, LEASE_LOST, PREEMPTED, CANCELLED -> "run it again";
            case INTERNAL -> "this is a defect: report it with the log above";
        };
    }
}
