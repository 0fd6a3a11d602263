package io.gpusnap.service.restore;

import io.gpusnap.service.operation.OperationState;
import io.gpusnap.service.platform.id.RolloutId;
import io.gpusnap.service.platform.json.JsonColumns;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** What came of the restores that a rollout decided, in plain SQL. */
@Component
public class RolloutResults {
    /** So many of its last restores are looked at. */
    private static final int MOST = 2_000;

    private final JdbcClient jdbc;
    private final JsonColumns json;

    RolloutResults(JdbcClient jdbc, JsonColumns json) {
        this.jdbc = jdbc;
        this.json = json;
    }

    /**
     * What was seen of one version.
     *
     * @param succeeded thaws that led back
     * @param failed thaws that did not, and restores that found no way back anywhere although they were free to go anywhere
     * @param rightAnswers processes that answered as the version's oracle says
     * @param wrongAnswers processes that did not, and were ended for it
     * @param secondsToAnswer from the claim to the first answer, or without an oracle to a healthy process
     */
    public record Seen(int succeeded, int failed, int rightAnswers, int wrongAnswers, List<Double> secondsToAnswer) {}

    private record Row(
            List<Attempt> attempts,
            @Nullable Double thawSeconds,
            @Nullable Double firstAnswerSeconds,
            boolean nowhere) {}

    /** Restores of the version that the rollout decided since then. */
    public Seen of(RolloutId rollout, String version, Instant since) {
        List<Row> rows = jdbc.sql("""
                        SELECT attempts, thaw_seconds, first_answer_seconds,
                               coalesce(outcome = 'COLD' AND attempts = '[]'::jsonb
                                        AND NOT jsonb_exists_any(wish -> 'constraints', ARRAY['nodeIds', 'image', 'mounts'])
                                        AND NOT jsonb_exists(wish, 'container'), false) AS nowhere
                          FROM restore
                         WHERE rollout_id = :rollout AND version_name = :version AND created_at >= :since
                         ORDER BY id DESC LIMIT :most
                        """)
                .param("rollout", rollout.value())
                .param("version", version)
                .param("since", since.atOffset(ZoneOffset.UTC))
                .param("most", MOST)
                .query(this::row)
                .list();
        List<Double> seconds = new ArrayList<>();
        for (Row row : rows) {
            Double answer = row.firstAnswerSeconds() == null ? row.thawSeconds() : row.firstAnswerSeconds();
            if (answer != null) {
                seconds.add(answer);
            }
        }
        return new Seen(
                count(rows, OperationState.SUCCEEDED, null),
                count(rows, OperationState.FAILED, null)
                        + (int) rows.stream().filter(Row::nowhere).count(),
                (int) rows.stream()
                        .filter(row -> row.firstAnswerSeconds() != null)
                        .count(),
                count(rows, OperationState.FAILED, ErrorCode.ANSWER_WRONG),
                List.copyOf(seconds));
    }

    private static int count(List<Row> rows, OperationState ended, @Nullable ErrorCode code) {
        return (int) rows.stream()
                .flatMap(row -> row.attempts().stream())
                .filter(attempt -> attempt.ended() == ended)
                .filter(attempt -> code == null
                        || (attempt.failure() != null && attempt.failure().code() == code))
                .count();
    }

    private Row row(ResultSet row, int number) throws SQLException {
        return new Row(
                json.readList(row.getString("attempts"), Attempt.class),
                row.getObject("thaw_seconds", Double.class),
                row.getObject("first_answer_seconds", Double.class),
                row.getBoolean("nowhere"));
    }
}
