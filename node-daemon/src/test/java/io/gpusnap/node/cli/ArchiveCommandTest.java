package io.gpusnap.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.key.KeyRing;
import io.gpusnap.node.transfer.StoredSnapshot;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Archives and keys as an operator works with them, on real tiers. */
class ArchiveCommandTest {

    private static final String OLD = "0123456789abcdef".repeat(4);
    private static final String NEW = "f".repeat(64);

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private SnapshotId snapshot;

    @BeforeEach
    void storeASnapshot() throws Exception {
        Files.createDirectories(folder.resolve("share"));
        snapshot = SnapshotId.random();
        try (SnapshotStore store = StoredSnapshot.open(folder.resolve("first"), 16 << 20)) {
            StoredSnapshot.make(store, snapshot, 3, 100_000);
        }
    }

    private int run(String node, String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of(
                "--state-dir",
                folder.resolve(node).toString(),
                "--memory-pool-bytes",
                "16MiB",
                "--memory-pool-path",
                folder.resolve(node + "-pool/pool").toString(),
                "--scratch-dir",
                folder.resolve(node + "-scratch").toString(),
                "--node-name",
                node,
                "--nfs-root",
                folder.resolve("share").toString()));
        return NodeCommandLine.run(
                all.toArray(String[]::new),
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                false,
                Map.of(),
                new EngineOpener());
    }

    private String[] with(Path keys, String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--tiers-key-file", keys.toString(), "--nvme-encrypt", "true"));
        return all.toArray(String[]::new);
    }

    @Test
    void aSnapshotGoesOutAndComesInByTwoCommands() {
        Path archive = folder.resolve("snapshot.tar");
        assertThat(run("first", "export", snapshot.toString(), archive.toString()))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).contains(snapshot.toString()).contains(archive.toString());
        assertThat(run("first", "export", snapshot.toString(), archive.toString()))
                .isEqualTo(1);
        assertThat(err.toString()).contains("CONFLICT").contains("already");

        assertThat(run("second", "import", archive.toString()))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).contains("snapshot " + snapshot + " is here");
        assertThat(run("second", "verify", snapshot.toString()))
                .as(err.toString())
                .isZero();
    }

    @Test
    void whatIsNoArchiveIsSaidInOneLineWithTheMend() throws Exception {
        Path text = Files.writeString(folder.resolve("text"), "no archive");
        assertThat(run("second", "import", text.toString())).isEqualTo(1);
        assertThat(err.toString().lines())
                .singleElement()
                .satisfies(line ->
                        assertThat(line).startsWith("MANIFEST_INVALID: " + text).contains("gpusnap-node export"));
        assertThat(folder.resolve("second")).doesNotExist();
        assertThat(run("second", "import", folder.resolve("nowhere").toString()))
                .isEqualTo(1);
        assertThat(err.toString()).startsWith("STORE_ERROR").contains("nowhere");
    }

    @Test
    void keysAreListedRotatedAndWrappedAnew() throws Exception {
        // given
        assertThat(run("first", "keys", "list")).isEqualTo(1);
        assertThat(err.toString()).contains("TIER_MISMATCH").contains("tiers.keyFile");
        assertThat(run("first", "keys")).isEqualTo(2);
        assertThat(err.toString()).contains("say list, rotate or rewrap");
        Path keys = Files.writeString(folder.resolve("keys"), OLD + "\n");
        assertThat(run("first", with(keys, "push", snapshot.toString(), "--tier", "nfs")))
                .as(err.toString())
                .isZero();
        // when
        assertThat(run("first", with(keys, "keys", "rotate")))
                .as(err.toString())
                .isZero();
        // then
        assertThat(out.toString().lines())
                .hasSize(2)
                .allMatch(line -> line.contains("key 1") && line.contains("encrypts"));
        assertThat(run("first", with(keys, "keys", "list", "--tier", "nfs"))).isZero();
        assertThat(out.toString().lines())
                .hasSize(2)
                .allMatch(line -> line.contains(KeyRing.ofHex(OLD).keyId()))
                .satisfiesExactly(
                        old -> assertThat(old).contains("key 0").contains(", 293."),
                        fresh -> assertThat(fresh).contains("key 1").contains(", 0 B"));
        // and what is copied from now on moves to the new one
        assertThat(run("first", with(keys, "push", snapshot.toString(), "--tier", "nfs")))
                .as(err.toString())
                .isZero();
        assertThat(run("first", with(keys, "keys", "list", "--tier", "nfs"))).isZero();
        assertThat(out.toString().lines()).hasSize(2).allMatch(line -> line.contains(", 293."));

        // when the key that wraps is changed
        Files.writeString(keys, NEW + "\n" + OLD + "\n");
        assertThat(run("first", with(keys, "keys", "rewrap")))
                .as(err.toString())
                .isZero();
        assertThat(err.toString()).contains("nfs: 1 of 2 data keys").contains("nfs: 2 of 2 data keys");
        assertThat(out.toString()).contains("nfs: 2 data keys, 2 of them were wrapped by another key before");
        // then the new one alone reads what the old one protected
        Files.writeString(keys, NEW + "\n");
        assertThat(run("second", with(keys, "pull", snapshot.toString(), "--tier", "nfs")))
                .as(err.toString())
                .isZero();
        Files.writeString(keys, OLD + "\n");
        assertThat(run("third", with(keys, "pull", snapshot.toString(), "--tier", "nfs")))
                .isEqualTo(1);
        assertThat(err.toString()).contains("was wrapped by key");
    }

    @Test
    void encryptingTheOwnDiskTakesAKey() {
        assertThat(run("first", "list", "--nvme-encrypt", "true")).isEqualTo(2);
        assertThat(err.toString()).contains("nvme.encrypt").contains("tiers.keyFile");
    }
}
