package io.gpusnap.node.store;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.annotation.JsonDeserialize;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.util.StdConverter;

/**
 * Manifest to bytes and back. Reading is strict: bounded size, depth and numbers, no duplicate, unknown or missing field,
 * no coercion, and everything that {@link ManifestRules} asks.
 */
public final class ManifestJson {

    /** About 700,000 chunks. */
    static final int MAX_BYTES = 64 << 20;

    private static final int MAX_DEPTH = 16;

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxDocumentLength(MAX_BYTES)
                            .maxNestingDepth(MAX_DEPTH)
                            .maxNumberLength(32)
                            .maxStringLength(1 << 20)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .build();

    /** A manifest of a workload that was in no container. */
    record WithoutContainer(
            String schema,
            SnapshotId snapshotId,
            String engine,
            Instant createdAt,
            Manifest.Producer producer,
            String digestAlgorithm,
            Manifest.Compatibility compatibility,
            Manifest.ProcessImage process,
            Manifest.Device device,
            Manifest.Host host,
            Manifest.Totals totals) {

        static WithoutContainer of(Manifest manifest) {
            return new WithoutContainer(
                    manifest.schema(),
                    manifest.snapshotId(),
                    manifest.engine(),
                    manifest.createdAt(),
                    manifest.producer(),
                    manifest.digestAlgorithm(),
                    manifest.compatibility(),
                    manifest.process(),
                    manifest.device(),
                    manifest.host(),
                    manifest.totals());
        }

        Manifest manifest() {
            return new Manifest(
                    schema,
                    snapshotId,
                    engine,
                    createdAt,
                    producer,
                    digestAlgorithm,
                    compatibility,
                    process,
                    device,
                    host,
                    totals);
        }
    }

    /** The host part of the first schema. */
    record FirstHost(List<Manifest.HostFile> files) {}

    private static final class FromFirstHost extends StdConverter<FirstHost, Manifest.Host> {

        @Override
        public Manifest.Host convert(FirstHost host) {
            return new Manifest.Host(host.files(), List.of());
        }
    }

    @JsonDeserialize(converter = FromFirstHost.class)
    private interface AsFirstHost {}

    /** The device part of the first schema. */
    record FirstDevice(long driverBytes, List<Manifest.Allocation> allocations) {}

    private static final class FromFirstDevice extends StdConverter<FirstDevice, Manifest.Device> {

        @Override
        public Manifest.Device convert(FirstDevice device) {
            return new Manifest.Device(device.driverBytes(), List.of(), device.allocations());
        }
    }

    @JsonDeserialize(converter = FromFirstDevice.class)
    private interface AsFirstDevice {}

    /** A host area of the second schema. */
    record SecondArea(int taskId, String address, long sizeBytes, List<ChunkRef> chunks) {}

    private static final class FromSecondArea extends StdConverter<SecondArea, Manifest.HostArea> {

        @Override
        public Manifest.HostArea convert(SecondArea area) {
            return new Manifest.HostArea(area.taskId(), area.address(), area.sizeBytes(), List.of(), area.chunks());
        }
    }

    @JsonDeserialize(converter = FromSecondArea.class)
    private interface AsSecondArea {}

    /** A GPU of the fourth schema, and of all before it. */
    record FourthGpu(int ordinal, String uuid, String name, long memoryBytes, String computeCapability) {}

    private static final class FromFourthGpu extends StdConverter<FourthGpu, Manifest.Gpu> {

        @Override
        public Manifest.Gpu convert(FourthGpu gpu) {
            return new Manifest.Gpu(
                    gpu.ordinal(), gpu.uuid(), gpu.name(), gpu.memoryBytes(), gpu.computeCapability(), true);
        }
    }

    @JsonDeserialize(converter = FromFourthGpu.class)
    private interface AsFourthGpu {}

    private static final JsonMapper FOURTH_MAPPER =
            MAPPER.rebuild().addMixIn(Manifest.Gpu.class, AsFourthGpu.class).build();

    private static final JsonMapper SECOND_MAPPER = FOURTH_MAPPER
            .rebuild()
            .addMixIn(Manifest.HostArea.class, AsSecondArea.class)
            .build();

    private static final JsonMapper FIRST_MAPPER = FOURTH_MAPPER
            .rebuild()
            .addMixIn(Manifest.Host.class, AsFirstHost.class)
            .addMixIn(Manifest.Device.class, AsFirstDevice.class)
            .build();

    private static final Pattern ANY_SCHEMA = Pattern.compile("gpusnap\\.manifest/[1-9][0-9]{0,5}");

    private ManifestJson() {}

    public static byte[] write(Manifest manifest) {
        Object document = manifest.container().isPresent() ? manifest : WithoutContainer.of(manifest);
        return MAPPER.writeValueAsString(document).getBytes(StandardCharsets.UTF_8);
    }

    /**
     * @throws ManifestException when anything about it is not as the format says
     * @throws NewerManifestException when it is well formed and names a schema that a newer daemon may write, and this one does not know
     */
    public static Manifest read(byte[] bytes) throws ManifestException {
        if (bytes.length > MAX_BYTES) {
            throw new ManifestException("manifest has " + bytes.length + " bytes, more than " + MAX_BYTES);
        }
        @Nullable Manifest manifest;
        try {
            String schema = schemaOf(bytes);
            requireKnown(schema, bytes);
            manifest = parse(schema, bytes);
        } catch (JacksonException e) {
            throw new ManifestException("manifest is not well formed: " + e.getOriginalMessage(), e);
        }
        if (manifest == null) {
            throw new ManifestException("manifest is not well formed: null");
        }
        ManifestRules.check(manifest);
        return manifest;
    }

    private static void requireKnown(String schema, byte[] bytes) throws NewerManifestException {
        if (ANY_SCHEMA.matcher(schema).matches() && !ManifestRules.knows(schema)) {
            MAPPER.readTree(bytes); // one that is not whole is damaged, whoever wrote it
            throw new NewerManifestException(schema);
        }
    }

    private static @Nullable Manifest parse(String schema, byte[] bytes) {
        if (Manifest.hasContainer(schema)) {
            return mapperOf(schema).readValue(bytes, Manifest.class);
        }
        WithoutContainer document = mapperOf(schema).readValue(bytes, WithoutContainer.class);
        return document == null ? null : document.manifest();
    }

    /** What the document names; one that names none is refused by all. */
    private static String schemaOf(byte[] bytes) {
        try (JsonParser parser = MAPPER.createParser(bytes)) {
            if (parser.nextToken() == JsonToken.START_OBJECT) {
                while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                    boolean schema = parser.currentName().equals("schema");
                    JsonToken value = parser.nextToken();
                    if (schema) {
                        return value == JsonToken.VALUE_STRING ? parser.getString() : "";
                    }
                    parser.skipChildren();
                }
            }
            return "";
        }
    }

    private static JsonMapper mapperOf(String schema) {
        return switch (schema) {
            case Manifest.FIRST_SCHEMA -> FIRST_MAPPER;
            case Manifest.SECOND_SCHEMA -> SECOND_MAPPER;
            case Manifest.THIRD_SCHEMA, Manifest.FOURTH_SCHEMA -> FOURTH_MAPPER;
            default -> MAPPER;
        };
    }
}
