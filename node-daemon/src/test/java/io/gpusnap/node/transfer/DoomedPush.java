package io.gpusnap.node.transfer;

import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ManifestJson;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.pack.FrameSettings;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.tier.s3.S3Server;
import io.gpusnap.node.tier.s3.S3Settings;
import io.gpusnap.node.tier.s3.S3Store;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;

/** A daemon that pushes a snapshot, in a JVM of its own, to be killed from outside. */
final class DoomedPush {

    private DoomedPush() {}

    static Process start(Path folder, SnapshotId snapshot, UUID copy, URI endpoint, String bucket) throws Exception {
        return new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin/java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        DoomedPush.class.getName(),
                        folder.toString(),
                        snapshot.toString(),
                        copy.toString(),
                        endpoint.toString(),
                        bucket))
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("push.out").toFile())
                .start();
    }

    static PackTier tier(URI endpoint, String bucket) {
        S3Settings plain = S3Server.settings(bucket, endpoint);
        // One at a time: so the order of requests is that of the code.
        S3Settings smallParts = S3Server.asking(plain, 5 << 20, 1, plain.deadline(), plain.attempts());
        return new PackTier(new PackSettings("s3", 16L << 20), new S3Store(smallParts), FrameSettings.none());
    }

    static void push(SnapshotStore store, PackTier tier, SnapshotId snapshot, UUID copy) throws Exception {
        byte[] manifest = store.manifest(snapshot);
        var chunks = ManifestJson.read(manifest).chunks().toList();
        SnapshotPush push = new SnapshotPush(tier, store.sources(), copy);
        push.chunks(chunks, new Transfer(1, bytes -> {}, () -> {}), new Traffic(0).share(0, true), total -> {});
        push.manifest(snapshot, manifest, chunks);
    }

    /** folder, snapshot, copy, endpoint, bucket */
    public static void main(String[] arguments) throws Exception {
        PackTier tier = tier(URI.create(arguments[3]), arguments[4]);
        try (SnapshotStore store = StoredSnapshot.open(Path.of(arguments[0]), tier)) {
            push(store, tier, SnapshotId.parse(arguments[1]), UUID.fromString(arguments[2]));
        }
        System.exit(0);
    }
}
