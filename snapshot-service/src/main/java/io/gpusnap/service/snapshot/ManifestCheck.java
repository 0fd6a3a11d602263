package io.gpusnap.service.snapshot;

import io.gpusnap.service.operation.Completion;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.platform.id.SnapshotId;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Decides whether a manifest may make a snapshot READY. The text comes from another machine, so reading is bounded in
 * depth, in the length of names and numbers, and (by the request limit) in size; duplicate keys are refused, since two
 * readers could take different ones.
 */
final class ManifestCheck {
    static final String SCHEMA = "gpusnap.manifest/5";
    /** Of workloads in containers: the same with a container part, which is the nodes' business. */
    static final String CONTAINER_SCHEMA = "gpusnap.manifest/6";
    /** Of nodes that are not up to date yet: in containers, with GPUs that are all in use. */
    static final String FOURTH_SCHEMA = "gpusnap.manifest/4";
    /** The same of workloads in no container. */
    static final String THIRD_SCHEMA = "gpusnap.manifest/3";
    /** Of nodes that are not up to date yet: the same with host areas that have no gaps. */
    static final String SECOND_SCHEMA = "gpusnap.manifest/2";
    /** Of nodes that are not up to date yet: the same without host areas. */
    static final String FIRST_SCHEMA = "gpusnap.manifest/1";

    private static final Set<String> SCHEMAS =
            Set.of(CONTAINER_SCHEMA, SCHEMA, FOURTH_SCHEMA, THIRD_SCHEMA, SECOND_SCHEMA, FIRST_SCHEMA);

    static final String DIGEST_ALGORITHM = "sha256-tree-4k";
    private static final String ZERO = "zero";
    private static final long MAX_CHUNK_BYTES = 4L << 20;
    private static final int MAX_DEPTH = 16;
    private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");
    private static final Pattern ADDRESS = Pattern.compile("0x[0-9a-f]{1,16}");
    private static final Pattern FILE_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,254}");

    private static final JsonMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxNumberLength(32)
                            .maxStringLength(1 << 20)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .build();

    private ManifestCheck() {}

    /** Says in one sentence what is wrong. */
    static final class Refused extends Exception {
        Refused(String message) {
            super(message);
        }
    }

    /** A manifest that may make a snapshot READY. */
    @SuppressWarnings("ArrayRecordComponent") // never compared as a record
    record Checked(byte[] bytes, Manifest manifest) {}

    /** @throws Refused unless the text has the digest, belongs to the snapshot, and its sizes add up to the totals */
    static Checked check(SnapshotId snapshot, Engine engine, Completion.SaveResult result) throws Refused {
        byte[] bytes = result.manifest().getBytes(StandardCharsets.UTF_8);
        String digest = sha256(bytes);
        require(
                digest.equals(result.manifestDigest()),
                "its bytes have the digest " + digest + ", reported is " + result.manifestDigest());
        Manifest manifest = parse(bytes);
        require(SCHEMAS.contains(manifest.schema()), "schema is not " + SCHEMA);
        require(
                FIRST_SCHEMA.equals(manifest.schema())
                        == manifest.host().areas().isEmpty(),
                "host.areas is there or missing against its schema");
        require(DIGEST_ALGORITHM.equals(manifest.digestAlgorithm()), "digestAlgorithm is not " + DIGEST_ALGORITHM);
        require(snapshot.toString().equals(manifest.snapshotId()), "snapshotId is not " + snapshot);
        require(engine.wireName().equals(manifest.engine()), "engine is not " + engine);
        checkSizes(manifest);
        require(manifest.totals().equals(result.totals()), "totals are not those reported");
        return new Checked(bytes, manifest);
    }

    private static Manifest parse(byte[] bytes) throws Refused {
        Manifest manifest;
        try {
            manifest = JSON.readValue(bytes, Manifest.class);
        } catch (JacksonException e) {
            throw new Refused("it is not well formed: " + e.getOriginalMessage());
        }
        require(manifest != null, "it is null");
        return manifest;
    }

    private static void checkSizes(Manifest manifest) throws Refused {
        Tally tally = new Tally();
        long vramBytes = 0;
        for (Manifest.Allocation allocation : manifest.device().allocations()) {
            require(ADDRESS.matcher(allocation.address()).matches(), "an allocation has no hex address");
            tally.add("allocation " + allocation.address(), allocation.sizeBytes(), allocation.chunks());
            vramBytes = sum(vramBytes, allocation.sizeBytes());
        }
        long hostBytes = 0;
        Set<String> names = new HashSet<>();
        for (Manifest.File file : manifest.host().files()) {
            require(FILE_NAME.matcher(file.name()).matches(), "a host file has a name that is not plain");
            require(names.add(file.name()), "host file " + file.name() + " is there twice");
            tally.add("host file " + file.name(), file.sizeBytes(), file.chunks());
            hostBytes = sum(hostBytes, file.sizeBytes());
        }
        for (Manifest.Area area : manifest.host().areas().orElse(List.of())) {
            require(area.taskId() > 0, "a host area has no task");
            require(ADDRESS.matcher(area.address()).matches(), "a host area has no hex address");
            tally.add("host area " + area.address(), area.sizeBytes(), area.chunks());
            hostBytes = sum(hostBytes, area.sizeBytes());
        }
        Completion.Totals totals = manifest.totals();
        require(totals.vramBytes() == vramBytes, "totals.vramBytes is not the allocations' sum, " + vramBytes);
        require(totals.hostBytes() == hostBytes, "totals.hostBytes is not the files' and areas' sum, " + hostBytes);
        require(totals.logicalBytes() == sum(vramBytes, hostBytes), "totals.logicalBytes is not vramBytes + hostBytes");
        require(totals.chunksTotal() == tally.chunks, "totals.chunksTotal is not " + tally.chunks);
        require(totals.chunksZero() == tally.zero, "totals.chunksZero is not " + tally.zero);
        require(
                totals.chunksStored() >= 0 && totals.chunksStored() <= tally.chunks - tally.zero,
                "totals.chunksStored is out of range");
        require(
                totals.storedBytes() >= 0 && totals.storedBytes() <= totals.logicalBytes(),
                "totals.storedBytes is out of range");
    }

    private static final class Tally {
        private long chunks;
        private long zero;

        void add(String where, long sizeBytes, List<Manifest.Chunk> list) throws Refused {
            long bytes = 0;
            for (Manifest.Chunk chunk : list) {
                require(
                        chunk.sizeBytes() > 0 && chunk.sizeBytes() <= MAX_CHUNK_BYTES,
                        where + " has a chunk of " + chunk.sizeBytes() + " bytes");
                require(
                        ZERO.equals(chunk.digest())
                                || DIGEST.matcher(chunk.digest()).matches(),
                        where + " has a chunk without digest");
                bytes = sum(bytes, chunk.sizeBytes());
                zero += ZERO.equals(chunk.digest()) ? 1 : 0;
            }
            chunks += list.size();
            require(bytes == sizeBytes, where + " has " + sizeBytes + " bytes, its chunks " + bytes);
        }
    }

    private static long sum(long a, long b) throws Refused {
        try {
            return Math.addExact(a, b);
        } catch (ArithmeticException e) {
            throw new Refused("sizes overflow");
        }
    }

    private static void require(boolean holds, String otherwise) throws Refused {
        if (!holds) {
            throw new Refused(otherwise);
        }
    }

    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
