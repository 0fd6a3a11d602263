package io.gpusnap.service.testing;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.springframework.jdbc.core.simple.JdbcClient;

/**
 * What was read of a table, by PostgreSQL's own count.
 *
 * @param scans of the whole table
 * @param rows by scans and by index
 */
public record TableReads(String table, long scans, long rows) {

    /** Of each table, while this runs in the caller's transaction. */
    public static List<TableReads> of(Runnable question, JdbcClient jdbc) {
        // What the connection has read before, and has not told yet, counts as the transaction's too.
        Map<String, TableReads> before =
                soFar(jdbc).stream().collect(Collectors.toMap(TableReads::table, Function.identity()));
        question.run();
        return soFar(jdbc).stream()
                .map(reads -> reads.since(before.getOrDefault(reads.table, new TableReads(reads.table, 0, 0))))
                .toList();
    }

    private TableReads since(TableReads before) {
        return new TableReads(table, scans - before.scans, rows - before.rows);
    }

    private static List<TableReads> soFar(JdbcClient jdbc) {
        return jdbc.sql("""
                        SELECT relname, seq_scan, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) AS rows
                          FROM pg_stat_xact_user_tables
                        """)
                .query((row, number) ->
                        new TableReads(row.getString("relname"), row.getLong("seq_scan"), row.getLong("rows")))
                .list();
    }
}
