package io.gpusnap.service.model;

import io.gpusnap.service.platform.json.StringMapColumn;
import jakarta.persistence.Column;
import jakarta.persistence.Convert;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import jakarta.persistence.Version;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.hibernate.annotations.ColumnTransformer;
import org.jspecify.annotations.Nullable;

/** A name under which versions and snapshots are kept. The name never changes. */
@Entity
@Table(name = "model")
public class Model {
    @Id
    private String name;

    private String description;

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
    protected Model() {}

    Model(String name, String description, Map<String, String> labels, Instant now) {
        this.name = name;
        this.description = description;
        this.labels = new TreeMap<>(labels);
        this.createdAt = now;
        this.updatedAt = now;
    }

    /** Null leaves a part as it is. */
    void change(@Nullable String newDescription, @Nullable Map<String, String> newLabels, Instant now) {
        description = Objects.requireNonNullElse(newDescription, description);
        labels = new TreeMap<>(Objects.requireNonNullElse(newLabels, labels));
        updatedAt = now;
    }

    public String name() {
        return name;
    }

    public String description() {
        return description;
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
