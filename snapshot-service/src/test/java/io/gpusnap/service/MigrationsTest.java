package io.gpusnap.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.ServiceTest;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;

@ServiceTest
class MigrationsTest {
    @Autowired
    private JdbcClient jdbc;

    @Test
    void everyTableAndColumnSaysWhatItIs() {
        List<String> silent = jdbc.sql("""
                        SELECT c.relname || coalesce('.' || a.attname, '') AS what
                          FROM pg_class c
                          JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
                          LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum >= 0 AND NOT a.attisdropped
                         WHERE c.relkind = 'r' AND c.relname <> 'flyway_schema_history'
                           AND coalesce(col_description(c.oid, a.attnum), '') = ''
                         UNION
                        SELECT c.relname FROM pg_class c
                          JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
                         WHERE c.relkind = 'r' AND c.relname <> 'flyway_schema_history'
                           AND coalesce(obj_description(c.oid, 'pg_class'), '') = ''
                        """).query(String.class).list();

        assertThat(silent).isEmpty();
        assertThat(jdbc.sql("SELECT count(*) FROM flyway_schema_history WHERE success")
                        .query(Long.class)
                        .single())
                .isGreaterThanOrEqualTo(4);
    }

    @Test
    void everyForeignKeyIsBackedByAnIndex() {
        List<String> bare = jdbc.sql("""
                        SELECT con.conrelid::regclass || '.' || a.attname
                          FROM pg_constraint con
                          JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = con.conkey[1]
                         WHERE con.contype = 'f'
                           AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = con.conrelid AND i.indkey[0] = con.conkey[1])
                           AND con.confrelid <> 'node'::regclass -- nodes are not deleted
                        """).query(String.class).list();

        assertThat(bare).isEmpty();
    }
}
