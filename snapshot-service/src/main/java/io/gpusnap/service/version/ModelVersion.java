package io.gpusnap.service.version;

import io.gpusnap.service.platform.id.VersionId;
import io.gpusnap.service.platform.json.StringListColumn;
import io.gpusnap.service.platform.json.StringMapColumn;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import jakarta.persistence.Column;
import jakarta.persistence.Convert;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import jakarta.persistence.Version;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.hibernate.annotations.ColumnTransformer;
import org.jspecify.annotations.Nullable;

/**
 * What a snapshot is a snapshot of. Model, name and parent never change; image, arguments, framework and fingerprint no
 * more once a snapshot of it is READY, since that snapshot is of exactly these.
 */
@Entity
@Table(name = "model_version")
public class ModelVersion {
    @Id
    private UUID id;

    private String modelName;
    private String name;
    private @Nullable String image;

    @Convert(converter = StringListColumn.class)
    @Column(columnDefinition = "jsonb")
    @ColumnTransformer(write = "?::jsonb")
    private List<String> engineArguments;

    private @Nullable String framework;
    private @Nullable String fingerprint;

    @Column(updatable = false)
    private @Nullable String parent;

    private @Nullable String changes;

    @Convert(converter = StringListColumn.class)
    @Column(columnDefinition = "jsonb")
    @ColumnTransformer(write = "?::jsonb")
    private List<String> tags;

    @Convert(converter = OracleColumn.class)
    @Column(columnDefinition = "jsonb")
    @ColumnTransformer(write = "?::jsonb")
    private @Nullable AnswerOracle oracle;

    private @Nullable Instant frozenAt;

    @Convert(converter = StringMapColumn.class)
    @Column(columnDefinition = "jsonb")
    @ColumnTransformer(write = "?::jsonb")
    private Map<String, String> labels;

    private Instant createdAt;
    private Instant updatedAt;

    @Version
    private @Nullable Long version;

    /** For JPA. */
    @SuppressWarnings("NullAway.Init")
    protected ModelVersion() {}

    ModelVersion(
            VersionId id, String modelName, String name, @Nullable String parent, VersionFacts facts, Instant now) {
        this.id = id.value();
        this.modelName = modelName;
        this.name = name;
        this.parent = parent;
        this.tags = List.of();
        this.createdAt = now;
        this.engineArguments = List.of();
        this.labels = Map.of();
        this.updatedAt = now;
        change(facts, now);
    }

    /**
     * Null leaves a part as it is.
     *
     * @throws ApiException VERSION_IMMUTABLE for a fact that a READY snapshot depends on
     */
    final void change(VersionFacts facts, Instant now) {
        if (frozenAt != null && facts.touchesFacts()) {
            throw new ApiException(
                    ErrorCode.VERSION_IMMUTABLE,
                    "Version " + name + " of " + modelName + " has a READY snapshot since " + frozenAt
                            + "; its image, engineArguments, framework and fingerprint stay as they are.");
        }
        image = facts.image() == null ? image : facts.image();
        engineArguments = List.copyOf(Objects.requireNonNullElse(facts.engineArguments(), engineArguments));
        framework = facts.framework() == null ? framework : facts.framework();
        fingerprint = facts.fingerprint() == null ? fingerprint : facts.fingerprint();
        changes = facts.changes() == null ? changes : facts.changes();
        oracle = facts.oracle() == null ? oracle : facts.oracle();
        tags = List.copyOf(Objects.requireNonNullElse(facts.tags(), tags));
        labels = new TreeMap<>(Objects.requireNonNullElse(facts.labels(), labels));
        updatedAt = now;
    }

    /** What goes into a snapshot's manifest. */
    public Map<String, String> facts() {
        Map<String, String> facts = new TreeMap<>();
        facts.put("model", modelName);
        facts.put("version", name);
        image().ifPresent(value -> facts.put("image", value));
        framework().ifPresent(value -> facts.put("framework", value));
        fingerprint().ifPresent(value -> facts.put("fingerprint", value));
        return facts;
    }

    public VersionId id() {
        return new VersionId(id);
    }

    public String modelName() {
        return modelName;
    }

    public String name() {
        return name;
    }

    public Optional<String> image() {
        return Optional.ofNullable(image);
    }

    public List<String> engineArguments() {
        return engineArguments;
    }

    public Optional<String> framework() {
        return Optional.ofNullable(framework);
    }

    public Optional<String> fingerprint() {
        return Optional.ofNullable(fingerprint);
    }

    /** Name of the version that it was made from. */
    public Optional<String> parent() {
        return Optional.ofNullable(parent);
    }

    /** What changed against the parent, in words. */
    public Optional<String> changes() {
        return Optional.ofNullable(changes);
    }

    public List<String> tags() {
        return tags;
    }

    /** What each process of it is asked after a thaw. */
    public Optional<AnswerOracle> oracle() {
        return Optional.ofNullable(oracle);
    }

    /** When its first snapshot became READY; its facts never change from then on. */
    public Optional<Instant> frozenAt() {
        return Optional.ofNullable(frozenAt);
    }

    public Map<String, String> labels() {
        return Map.copyOf(labels);
    }

    public Instant createdAt() {
        return createdAt;
    }

    public Instant updatedAt() {
        return updatedAt;
    }

    /** For the ETag. */
    public long rowVersion() {
        return Objects.requireNonNull(version, "not saved yet");
    }
}
