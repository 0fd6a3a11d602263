package io.gpusnap.service.version;

import io.gpusnap.service.platform.id.HistoryId;
import io.gpusnap.service.platform.id.VersionId;
import io.gpusnap.service.platform.page.PageQuery;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Tables {@code model_alias} and {@code alias_change}. */
@Component
class AliasStore {
    private static final String SELECT = """
            SELECT a.model_name, a.name, a.version_id, v.name AS version_name, a.version, a.created_at, a.updated_at
              FROM model_alias a JOIN model_version v ON v.id = a.version_id
             WHERE a.model_name = :model""";

    private final JdbcClient jdbc;

    AliasStore(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** Whether the name was free. An ETag of an alias that had the name before does not fit this one: each change counts one up. */
    boolean insert(String model, String name, VersionId version) {
        return jdbc.sql("""
                        INSERT INTO model_alias (model_name, name, version_id, version, created_at, updated_at)
                        SELECT :model, :name, :version, count(*), now(), now()
                          FROM alias_change WHERE model_name = :model AND alias = :name
                        ON CONFLICT DO NOTHING
                        """)
                        .param("model", model)
                        .param("name", name)
                        .param("version", version.value())
                        .update()
                == 1;
    }

    /** Whether the row was still the one that was read. */
    boolean move(Alias seen, VersionId to) {
        return jdbc.sql("""
                        UPDATE model_alias SET version_id = :to, version = version + 1, updated_at = now()
                         WHERE model_name = :model AND name = :name AND version = :seen
                        """)
                        .param("to", to.value())
                        .param("model", seen.model())
                        .param("name", seen.name())
                        .param("seen", seen.rowVersion())
                        .update()
                == 1;
    }

    /** Whether the row was still the one that was read. */
    boolean delete(Alias seen) {
        return jdbc.sql("DELETE FROM model_alias WHERE model_name = :model AND name = :name AND version = :seen")
                        .param("model", seen.model())
                        .param("name", seen.name())
                        .param("seen", seen.rowVersion())
                        .update()
                == 1;
    }

    Optional<Alias> find(String model, String name) {
        return jdbc.sql(SELECT + " AND a.name = :name")
                .param("model", model)
                .param("name", name)
                .query(AliasStore::alias)
                .optional();
    }

    /** Until the caller's transaction ends nobody moves it. */
    boolean hold(String model, String name) {
        return jdbc.sql("SELECT 1 FROM model_alias WHERE model_name = :model AND name = :name FOR UPDATE")
                .param("model", model)
                .param("name", name)
                .query(Integer.class)
                .optional()
                .isPresent();
    }

    List<Alias> list(String model, PageQuery query) {
        return jdbc.sql(SELECT + " AND (:after::text IS NULL OR a.name > :after::text) ORDER BY a.name LIMIT :limit")
                .param("model", model)
                .param("after", query.after().orElse(null))
                .param("limit", query.size() + 1)
                .query(AliasStore::alias)
                .list();
    }

    List<String> of(VersionId version) {
        return jdbc.sql("SELECT name FROM model_alias WHERE version_id = ? ORDER BY name")
                .param(version.value())
                .query(String.class)
                .list();
    }

    void record(
            String model,
            String alias,
            AliasChange.Kind kind,
            @Nullable String from,
            @Nullable String to,
            String who,
            String why) {
        jdbc.sql("""
                        INSERT INTO alias_change (id, model_name, alias, kind, from_version, to_version, who, why, at)
                        VALUES (:id, :model, :alias, :kind, :from, :to, :who, :why, now())
                        """)
                .param("id", HistoryId.next().value())
                .param("model", model)
                .param("alias", alias)
                .param("kind", kind.name())
                .param("from", from)
                .param("to", to)
                .param("who", who)
                .param("why", why)
                .update();
    }

    /** Newest first. */
    List<AliasChange> changes(String model, String alias, PageQuery query) {
        return jdbc.sql("""
                        SELECT id, kind, from_version, to_version, who, why, at FROM alias_change
                         WHERE model_name = :model AND alias = :alias AND (:after::uuid IS NULL OR id < :after::uuid)
                         ORDER BY id DESC LIMIT :limit
                        """)
                .param("model", model)
                .param("alias", alias)
                .param("after", query.afterId().map(UUID::toString).orElse(null))
                .param("limit", query.size() + 1)
                .query(AliasStore::change)
                .list();
    }

    private static Alias alias(ResultSet row, int number) throws SQLException {
        return new Alias(
                row.getString("model_name"),
                row.getString("name"),
                new VersionId(row.getObject("version_id", UUID.class)),
                row.getString("version_name"),
                row.getLong("version"),
                instant(row, "created_at"),
                instant(row, "updated_at"));
    }

    private static AliasChange change(ResultSet row, int number) throws SQLException {
        return new AliasChange(
                new HistoryId(row.getObject("id", UUID.class)),
                AliasChange.Kind.valueOf(row.getString("kind")),
                row.getString("from_version"),
                row.getString("to_version"),
                row.getString("who"),
                row.getString("why"),
                instant(row, "at"));
    }

    private static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }
}
