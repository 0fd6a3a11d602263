package io.gpusnap.node.archive;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.node.store.ManifestException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** The documents of an OCI image layout. Fields that are not known are passed over, as the specification asks of readers. */
final class OciJson {

    static final int MOST_BYTES = 16 << 20;
    private static final int MOST_DEPTH = 16;
    private static final String LAYOUT_VERSION = "1.0.0";

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxDocumentLength(MOST_BYTES)
                            .maxNestingDepth(MOST_DEPTH)
                            .maxNumberLength(32)
                            .maxStringLength(1 << 16)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .changeDefaultPropertyInclusion(inclusion -> inclusion.withValueInclusion(JsonInclude.Include.NON_NULL))
            .build();

    record Layout(@Nullable String imageLayoutVersion) {}

    record Index(
            int schemaVersion,
            @Nullable String mediaType,
            @Nullable List<Descriptor> manifests) {}

    record Image(
            int schemaVersion,
            @Nullable String mediaType,
            @Nullable String artifactType,
            @Nullable Descriptor config,
            @Nullable List<Descriptor> layers,
            @Nullable Map<String, String> annotations) {}

    private OciJson() {}

    static byte[] layout() {
        return write(new Layout(LAYOUT_VERSION));
    }

    static byte[] write(Record document) {
        return MAPPER.writeValueAsBytes(document);
    }

    /** @throws ManifestException when it is no layout, or of another version */
    static void requireLayout(byte[] bytes) throws ManifestException {
        Layout layout = read(bytes, Layout.class, "oci-layout");
        if (!LAYOUT_VERSION.equals(layout.imageLayoutVersion())) {
            throw new ManifestException(
                    "oci-layout names version %s, %s is read".formatted(layout.imageLayoutVersion(), LAYOUT_VERSION));
        }
    }

    /** @throws ManifestException when it is no such document */
    static <T extends Record> T read(byte[] bytes, Class<T> type, String name) throws ManifestException {
        try {
            T document = MAPPER.readValue(bytes, type);
            if (document == null) {
                throw new ManifestException(name + " is empty");
            }
            return document;
        } catch (JacksonException e) {
            throw new ManifestException(name + " cannot be read: " + e.getOriginalMessage(), e);
        }
    }
}
