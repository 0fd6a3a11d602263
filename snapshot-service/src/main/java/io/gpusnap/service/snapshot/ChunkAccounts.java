package io.gpusnap.service.snapshot;

import io.gpusnap.service.platform.id.SnapshotId;
import java.util.HexFormat;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Counts by how many snapshots each chunk is named, by the first 8 bytes of its digest. That is enough to report sizes, and
 * nothing is ever deleted by it (docs/decisions/0081). Rows are written in ascending order, so that two snapshots that share
 * chunks do not deadlock.
 */
@Component
class ChunkAccounts {
    private static final String ZERO = "zero";
    private static final int PREFIX_HEX_DIGITS = 16;

    private final JdbcClient jdbc;

    ChunkAccounts(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** Takes a new snapshot into account; returns the bytes of its different chunks that are not zero. */
    long add(SnapshotId snapshot, Manifest manifest) {
        TreeMap<Long, Integer> chunks = distinct(manifest);
        Long[] prefixes = chunks.keySet().toArray(Long[]::new);
        jdbc.sql("INSERT INTO snapshot_chunks (snapshot_id, prefixes) VALUES (?, ?)")
                .param(snapshot.value())
                .param(prefixes)
                .update();
        jdbc.sql("""
                        INSERT INTO chunk_use AS c (prefix, size_bytes, snapshots)
                        SELECT p, b, 1 FROM unnest(:prefixes::bigint[], :sizes::integer[]) AS n (p, b) ORDER BY p
                        ON CONFLICT (prefix) DO UPDATE SET snapshots = c.snapshots + 1
                        """)
                .param("prefixes", prefixes)
                .param("sizes", chunks.values().toArray(Integer[]::new))
                .update();
        return chunks.values().stream().mapToLong(Integer::longValue).sum();
    }

    /** Takes it out again; nothing when it was never taken in. */
    void remove(SnapshotId snapshot) {
        jdbc.sql("""
                        WITH gone AS (DELETE FROM snapshot_chunks WHERE snapshot_id = :id RETURNING prefixes),
                        its AS (SELECT c.prefix FROM chunk_use c, gone WHERE c.prefix = ANY (gone.prefixes) ORDER BY c.prefix FOR UPDATE OF c),
                        last AS (DELETE FROM chunk_use c USING its WHERE c.prefix = its.prefix AND c.snapshots = 1)
                        UPDATE chunk_use c SET snapshots = c.snapshots - 1 FROM its WHERE c.prefix = its.prefix AND c.snapshots > 1
                        """).param("id", snapshot.value()).update();
    }

    /** Empty before it is READY and after it was deleted. */
    Optional<LayerSizes> of(SnapshotId snapshot) {
        return jdbc.sql("""
                        SELECT coalesce(sum(c.size_bytes) FILTER (WHERE c.snapshots = 1), 0) AS only,
                               coalesce(sum(c.size_bytes) FILTER (WHERE c.snapshots > 1), 0) AS others
                          FROM snapshot_chunks s LEFT JOIN LATERAL unnest(s.prefixes) AS p ON true LEFT JOIN chunk_use c ON c.prefix = p
                         WHERE s.snapshot_id = :id GROUP BY s.snapshot_id
                        """)
                .param("id", snapshot.value())
                .query((row, number) -> new LayerSizes(row.getLong("only"), row.getLong("others")))
                .optional();
    }

    private static TreeMap<Long, Integer> distinct(Manifest manifest) {
        TreeMap<Long, Integer> chunks = new TreeMap<>();
        Stream.of(
                        manifest.device().allocations().stream().map(Manifest.Allocation::chunks),
                        manifest.host().files().stream().map(Manifest.File::chunks),
                        manifest.host().areas().stream()
                                .flatMap(areas -> areas.stream().map(Manifest.Area::chunks)))
                .flatMap(lists -> lists)
                .flatMap(java.util.List::stream)
                .filter(chunk -> !ZERO.equals(chunk.digest()))
                .forEach(chunk -> chunks.put(
                        HexFormat.fromHexDigitsToLong(chunk.digest(), 0, PREFIX_HEX_DIGITS),
                        Math.toIntExact(chunk.sizeBytes())));
        return chunks;
    }
}
