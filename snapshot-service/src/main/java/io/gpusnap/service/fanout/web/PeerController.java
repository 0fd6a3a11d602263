package io.gpusnap.service.fanout.web;

import io.gpusnap.service.fanout.Peers;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.security.NodeCaller;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.tags.Tag;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** Daemons ask who else brings back the same snapshot. */
@RestController
@Tag(name = "Work", description = "Claims, progress and completion of operations")
class PeerController {
    private final Peers peers;

    PeerController(Peers peers) {
        this.peers = peers;
    }

    @GetMapping("/node/v1/operations/{operationId}/peers")
    @Operation(
            operationId = "getOperationPeers",
            summary = "Who else has, or fetches, this operation's snapshot",
            description =
                    "For a running THAW, or TRANSFER into a tier of the node's own; empty for others, for a node that reports "
                            + "no peer endpoint, and where the service is told to keep nodes apart. Nodes of the same tenant "
                            + "only. A peer's token is gpusnap-peer.<claims>.<mac>, both in base64url without padding: claims "
                            + "is JSON (audience, subject, certificate, snapshotId, manifestDigest, tenant, expiresAt), mac "
                            + "is HMAC-SHA256 over everything before the second dot, by the peerKey that the audience got "
                            + "when it registered. 409 OPERATION_FINISHED when the operation does not run.")
    PeersReply peers(@PathVariable OperationId operationId, @Parameter(hidden = true) NodeCaller caller) {
        return PeersReply.of(peers.of(caller, operationId));
    }
}
