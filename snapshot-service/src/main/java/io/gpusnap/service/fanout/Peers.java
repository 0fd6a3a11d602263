package io.gpusnap.service.fanout;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.security.NodeCaller;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Tells a daemon who else works on what it works on. */
@Service
public class Peers {
    private final PeerRepository repository;
    private final PeerTokens tokens;
    private final FanOutSettings settings;

    Peers(PeerRepository repository, PeerTokens tokens, FanOutSettings settings) {
        this.repository = repository;
        this.tokens = tokens;
        this.settings = settings;
    }

    /**
     * @param since when the caller's own work began
     * @param refresh when to ask again
     */
    public record Listing(Instant since, Duration refresh, List<Peer> peers) {}

    /** @throws ApiException OPERATION_NOT_FOUND for another node's, OPERATION_FINISHED */
    @Transactional(readOnly = true)
    public Listing of(NodeCaller caller, OperationId operation) {
        PeerRepository.Work work = repository
                .work(operation, caller.nodeId())
                .orElseThrow(() -> new ApiException(
                        ErrorCode.OPERATION_NOT_FOUND, "There is no operation " + operation + " of this node."));
        if (!work.running()) {
            throw new ApiException(ErrorCode.OPERATION_FINISHED, "The operation does not run.");
        }
        SnapshotId snapshot = work.snapshotId();
        String digest = work.manifestDigest();
        if (!settings.enabled()
                || !work.gathers()
                || snapshot == null
                || digest == null
                || work.endpoint().isEmpty()) {
            return new Listing(work.since(), settings.refresh(), List.of());
        }
        Inventory.PeerEndpoint own = work.endpoint().get();
        Instant until = work.now().plus(settings.tokenLifetime());
        return new Listing(
                work.since(),
                settings.refresh(),
                repository
                        .others(snapshot, caller.nodeId(), own.tenant(), settings.recent(), settings.mostPeers())
                        .stream()
                        .map(found -> new Peer(
                                found.node(),
                                found.endpoint(),
                                found.role(),
                                found.since(),
                                tokens.make(
                                        new PeerTokens.Claims(
                                                found.node(),
                                                caller.nodeId(),
                                                own.certificate(),
                                                snapshot,
                                                digest,
                                                own.tenant(),
                                                until),
                                        found.key())))
                        .toList());
    }
}
