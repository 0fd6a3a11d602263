package io.gpusnap.service.restore;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Why a restore goes the way it goes.
 *
 * @param reasons what spoke for the version, the snapshot and the node, in sentences
 * @param chain the ways back, in the order in which they are tried; each is decided anew when the one before it failed
 * @param rejected snapshots on nodes that were not taken
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Decision(List<String> reasons, List<Step> chain, List<Rejected> rejected) {

    public Decision {
        // rows of the releases before have no chain
        chain = Objects.requireNonNullElse(chain, List.of());
    }

    /** Kinds of ways back, fastest first. */
    public enum Way {
        /** A suspended process of the version goes on where it stands. */
        RESUME,
        /** A snapshot is thawed on the node that scored best. */
        THAW,
        /** A snapshot is thawed on another node. */
        THAW_ELSEWHERE,
        /** Nothing comes back: the caller starts it itself. */
        COLD
    }

    /**
     * One way back.
     *
     * @param nodeName for people
     * @param reason in a sentence
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Step(
            Way way,
            @Nullable SnapshotId snapshotId,
            @Nullable NodeId nodeId,
            @Nullable String nodeName,
            @Nullable NodeScore score,
            @Nullable ExpectedTime expected,
            String reason) {

        Step by(Way other) {
            return new Step(other, snapshotId, nodeId, nodeName, score, expected, reason);
        }
    }

    /**
     * A node that was not taken.
     *
     * @param snapshotId for which snapshot
     * @param gate who objected
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Rejected(
            NodeId nodeId,
            String nodeName,
            @Nullable SnapshotId snapshotId,
            @Nullable String gate,
            ErrorCode code,
            String reason) {}
}
