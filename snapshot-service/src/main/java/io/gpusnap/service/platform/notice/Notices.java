package io.gpusnap.service.platform.notice;

import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Sends notices. */
@Component
public class Notices {
    private final JdbcClient jdbc;

    Notices(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** Every instance hears it when the caller's transaction commits, and none if it does not. */
    public void send(String channel, String payload) {
        jdbc.sql("SELECT pg_notify(?, ?)")
                .params(channel, payload)
                .query((row, number) -> true)
                .single();
    }
}
