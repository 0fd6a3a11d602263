package io.gpusnap.service.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.operation.Completion;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

@ServiceTest
class ChunkAccountsTest {
    private static final int CHUNK_BYTES = 4 << 20;

    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private ChunkAccounts accounts;

    @Autowired
    private TransactionTemplate transaction;

    private final Random random = new Random();
    private Catalogue catalogue;
    private SimulatedNode node;

    @BeforeEach
    void givenAModelVersionAndANode() {
        catalogue = Catalogue.create(api);
        node = SimulatedNode.register(api);
    }

    /** A row that chunks can be counted for; what it was saved with is taken out again. */
    private SnapshotId row(int pid) {
        SnapshotId id = SnapshotId.of(catalogue.ready(node, "criu+cuda", pid));
        transaction.executeWithoutResult(status -> accounts.remove(id));
        return id;
    }

    private String digest() {
        byte[] bytes = new byte[32];
        random.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    private List<String> digests(int count) {
        List<String> digests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            digests.add(digest());
        }
        return digests;
    }

    private static Manifest manifest(List<String> digests) {
        return new Manifest(
                ManifestCheck.SCHEMA,
                "",
                "criu+cuda",
                ManifestCheck.DIGEST_ALGORITHM,
                new Manifest.Device(
                        List.of(new Manifest.Allocation(
                                "0x1000",
                                0,
                                Optional.empty(),
                                digests.stream()
                                        .map(digest -> new Manifest.Chunk(digest, CHUNK_BYTES))
                                        .toList())),
                        Optional.empty()),
                new Manifest.Host(List.of(), Optional.empty()),
                new Completion.Totals(0, 0, 0, 0, 0, 0, 0),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    private long add(SnapshotId id, List<String> digests) {
        return transaction.execute(status -> accounts.add(id, manifest(digests)));
    }

    private LayerSizes sizes(SnapshotId id) {
        return accounts.of(id).orElseThrow();
    }

    @Test
    void whatTwoSnapshotsNameIsSharedUntilOneIsGone() {
        // given a version with 10 chunks, and the next one with 2 of them changed; zeros and repetitions do not count
        SnapshotId first = row(1);
        SnapshotId second = row(2);
        List<String> base = digests(10);
        List<String> next = new ArrayList<>(base.subList(0, 8));
        next.addAll(digests(2));
        List<String> written = new ArrayList<>(base);
        written.addAll(List.of("zero", "zero", base.getFirst()));

        // when
        long distinct = add(first, written);
        LayerSizes alone = sizes(first);
        add(second, next);

        // then
        assertThat(distinct).isEqualTo(10L * CHUNK_BYTES);
        assertThat(alone).isEqualTo(new LayerSizes(10L * CHUNK_BYTES, 0));
        assertThat(sizes(first)).isEqualTo(new LayerSizes(2L * CHUNK_BYTES, 8L * CHUNK_BYTES));
        assertThat(sizes(second)).isEqualTo(new LayerSizes(2L * CHUNK_BYTES, 8L * CHUNK_BYTES));

        // when the first is gone
        transaction.executeWithoutResult(status -> accounts.remove(first));

        // then everything is the second's own
        assertThat(accounts.of(first)).isEmpty();
        assertThat(sizes(second)).isEqualTo(new LayerSizes(10L * CHUNK_BYTES, 0));
    }

    @Test
    void aSnapshotOfZerosOnlyHasSizesOfZero() {
        SnapshotId id = row(3);

        add(id, List.of("zero"));

        assertThat(sizes(id)).isEqualTo(new LayerSizes(0, 0));
    }

    /**
     * Three small versions, or with {@code -Dgpusnap.measure=FILE} a hundred of real size, whose cost is then written there
     * (docs/decisions/0081).
     */
    @Test
    void aVersionAddsToTheAccountsOnlyWhatChanged() throws IOException {
        Optional<Path> file =
                Optional.ofNullable(System.getProperty("gpusnap.measure")).map(Path::of);
        int snapshots = file.isPresent() ? 100 : 3;
        int chunks = file.isPresent() ? 6_000 : 200;
        long before = rows();
        List<String> current = digests(chunks);
        List<Double> addMillis = new ArrayList<>();
        List<Double> readMillis = new ArrayList<>();
        for (int i = 0; i < snapshots; i++) {
            for (int changed = 0; changed < chunks * 3 / 100; changed++) {
                current.set((i * chunks * 3 / 100 + changed) % chunks, digest());
            }
            SnapshotId id = row(100 + i);
            long begun = System.nanoTime();
            add(id, current);
            addMillis.add((System.nanoTime() - begun) / 1e6);
            begun = System.nanoTime();
            sizes(id);
            readMillis.add((System.nanoTime() - begun) / 1e6);
        }

        assertThat(rows() - before).isEqualTo(chunks + (snapshots - 1L) * (chunks * 3 / 100));
        if (file.isPresent()) {
            write(file.get(), snapshots, chunks, addMillis, readMillis);
        }
    }

    private long rows() {
        return jdbc.sql("SELECT count(*) FROM chunk_use").query(Long.class).single();
    }

    private void write(Path file, int snapshots, int chunks, List<Double> addMillis, List<Double> readMillis)
            throws IOException {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("snapshots", snapshots);
        result.put("chunksEach", chunks);
        result.put("changedShare", 0.03);
        result.put("addMillisMedian", median(addMillis));
        result.put("addMillisMax", Collections.max(addMillis));
        result.put("sizesMillisMedian", median(readMillis));
        for (String table : List.of("snapshot_chunks", "chunk_use")) {
            result.put(
                    table + "Bytes",
                    jdbc.sql("SELECT pg_total_relation_size(?::regclass)")
                            .param(table)
                            .query(Long.class)
                            .single());
        }
        result.put("processors", Runtime.getRuntime().availableProcessors());
        result.put("database", jdbc.sql("SELECT version()").query(String.class).single());
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.writeString(file, Api.JSON.writerWithDefaultPrettyPrinter().writeValueAsString(result) + "\n");
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }
}
