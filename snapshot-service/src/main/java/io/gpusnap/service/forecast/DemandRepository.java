package io.gpusnap.service.forecast;

import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Table {@code model_demand}: one row a model and step, however often it is reported. All time is the database's. */
@Component
class DemandRepository {
    private final JdbcClient jdbc;

    DemandRepository(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** One kept step; {@code ago} is how many steps before the current one it began. */
    record Step(int ago, int samples, double requestRate, int queueDepth, int replicas) {}

    void add(String model, Duration step, DemandReport report) {
        jdbc.sql("""
                        INSERT INTO model_demand AS d (model_name, at, samples, request_rate, queue_depth, replicas)
                        VALUES (:model, date_bin(make_interval(secs => :step), now(), 'epoch'), 1, :rate, :queue, :replicas)
                        ON CONFLICT (model_name, at) DO UPDATE
                           SET samples = d.samples + 1,
                               request_rate = d.request_rate + (excluded.request_rate - d.request_rate) / (d.samples + 1),
                               queue_depth = greatest(d.queue_depth, excluded.queue_depth),
                               replicas = greatest(d.replicas, excluded.replicas)
                        """)
                .param("model", model)
                .param("step", step.toSeconds())
                .param("rate", report.requestsPerSecond())
                .param("queue", report.queueDepth())
                .param("replicas", report.replicasDesired())
                .update();
    }

    /** Keeps what an autoscaler wants under the current step; of rates and queues it says nothing. */
    void addWanted(String model, Duration step, int replicas) {
        jdbc.sql("""
                        INSERT INTO model_demand AS d (model_name, at, samples, request_rate, queue_depth, replicas)
                        VALUES (:model, date_bin(make_interval(secs => :step), now(), 'epoch'), 0, 0, 0, :replicas)
                        ON CONFLICT (model_name, at) DO UPDATE SET replicas = greatest(d.replicas, excluded.replicas)
                        """)
                .param("model", model)
                .param("step", step.toSeconds())
                .param("replicas", replicas)
                .update();
    }

    /** When the current step ends. */
    Instant currentStepEnds(Duration step) {
        return jdbc.sql("SELECT date_bin(make_interval(secs => :step), now(), 'epoch') + make_interval(secs => :step)")
                .param("step", step.toSeconds())
                .query((row, number) -> row.getObject(1, OffsetDateTime.class).toInstant())
                .single();
    }

    /** The oldest first. */
    List<Step> since(String model, Duration step, Duration retention) {
        return jdbc.sql("""
                        SELECT (extract(epoch FROM date_bin(make_interval(secs => :step), now(), 'epoch') - at) / :step)::integer AS ago,
                               samples, request_rate, queue_depth, replicas
                          FROM model_demand
                         WHERE model_name = :model AND at > now() - make_interval(secs => :retention)
                         ORDER BY at
                        """)
                .param("model", model)
                .param("step", step.toSeconds())
                .param("retention", retention.toSeconds())
                .query((row, number) -> new Step(
                        row.getInt("ago"),
                        row.getInt("samples"),
                        row.getDouble("request_rate"),
                        row.getInt("queue_depth"),
                        row.getInt("replicas")))
                .list();
    }

    /** Models that somebody reports on, by name. */
    List<String> models() {
        return jdbc.sql("SELECT DISTINCT model_name FROM model_demand ORDER BY model_name")
                .query(String.class)
                .list();
    }

    int forget(Duration retention) {
        return jdbc.sql("DELETE FROM model_demand WHERE at < now() - make_interval(secs => :retention)")
                .param("retention", retention.toSeconds())
                .update();
    }
}
