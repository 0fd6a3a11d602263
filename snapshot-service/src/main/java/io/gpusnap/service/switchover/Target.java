package io.gpusnap.service.switchover;

import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.workload.Workload;
import java.util.Optional;

/**
 * Who is to be resumed.
 *
 * @param manifestDigest empty while a switch before this one still makes the snapshot
 */
record Target(Workload workload, SnapshotId snapshot, Optional<String> manifestDigest) {}
