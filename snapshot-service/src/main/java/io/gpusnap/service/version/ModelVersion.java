package io.gpusnap.service.version;

import io.gpusnap.service.platform.id.VersionId;
import io.gpusnap.service.platform.json.StringListColumn;
import io.gpusnap.service.platform.json.StringMapColumn;
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

/** What a snapshot is a snapshot of. Model and name never change. */
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

    ModelVersion(VersionId id, String modelName, String name, VersionFacts facts, Instant now) {
        this.id = id.value();
        this.modelName = modelName;
        this.name = name;
        this.createdAt = now;
        this.engineArguments = List.of();
        this.labels = Map.of();
        this.updatedAt = now;
        change(facts, now);
    }

    /** Null leaves a part as it is. */
    final void change(VersionFacts facts, Instant now) {
        image = facts.image() == null ? image : facts.image();
        engineArguments = List.copyOf(Objects.requireNonNullElse(facts.engineArguments(), engineArguments));
        framework = facts.framework() == null ? framework : facts.framework();
        fingerprint = facts.fingerprint() == null ? fingerprint : facts.fingerprint();
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
