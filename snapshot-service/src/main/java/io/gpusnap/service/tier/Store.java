package io.gpusnap.service.tier;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.StoreId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * What holds chunks.
 *
 * @param node whose own it is; empty for one that is shared
 */
public record Store(StoreId id, Inventory.TierKind kind, Optional<NodeId> node, Instant firstSeenAt) {

    /**
     * The id of a node's own store of a kind. Derived and not as reported: two nodes with copies of one disk are two places.
     */
    public static StoreId ownOf(NodeId node, Inventory.TierKind kind) {
        if (kind.shared()) {
            throw new IllegalArgumentException(kind + " is shared");
        }
        try {
            // As the migration that made the first rows did it in SQL.
            ByteBuffer digest = ByteBuffer.wrap(MessageDigest.getInstance("MD5")
                    .digest(("store of " + node + " " + kind).getBytes(StandardCharsets.UTF_8)));
            return new StoreId(new UUID(digest.getLong(), digest.getLong()));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has MD5", e);
        }
    }
}
