package io.gpusnap.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** The plans of what the service really asks, by PostgreSQL's own auto_explain: no copy of its statements is kept here. */
final class Plans {
    private static final Pattern ENTRY = Pattern.compile("(?m)^(?=\\d{4}-\\d\\d-\\d\\d )");

    private final Connection connection;
    private final Path log;

    Plans(Connection connection, Path log) {
        this.connection = connection;
        this.log = log;
    }

    @FunctionalInterface
    interface Calls {
        void make() throws IOException, InterruptedException;
    }

    /** Plans with times and buffers of every statement that the calls bring, each once. */
    String of(Calls calls) throws SQLException, IOException, InterruptedException {
        explain(true);
        long from = Files.size(log);
        calls.make();
        Thread.sleep(500);
        explain(false);
        byte[] all = Files.readAllBytes(log);
        String text = new String(all, (int) from, all.length - (int) from, StandardCharsets.UTF_8);
        Map<String, String> plans = new TreeMap<>();
        Arrays.stream(ENTRY.split(text))
                .filter(entry -> entry.contains("plan:") && entry.contains("Query Text"))
                .map(entry -> entry.substring(entry.indexOf("Query Text")).strip())
                .forEach(entry -> plans.putIfAbsent(statement(entry), entry));
        return String.join("\n\n", plans.values()) + "\n";
    }

    private static String statement(String entry) {
        int parameters = entry.indexOf("Query Parameters:");
        return parameters < 0 ? entry.lines().findFirst().orElse("") : entry.substring(0, parameters);
    }

    /** For the connections that there are, too: PostgreSQL loads it into each at its next statement. */
    private void explain(boolean on) throws SQLException, InterruptedException {
        try (Statement statement = connection.createStatement()) {
            for (String setting : new String[] {
                "auto_explain.log_min_duration = " + (on ? "0" : "-1"),
                "auto_explain.log_analyze = on",
                "auto_explain.log_buffers = on",
                "auto_explain.log_timing = on"
            }) {
                statement.execute("ALTER SYSTEM SET " + setting);
            }
            statement.execute("SELECT pg_reload_conf()");
        }
        Thread.sleep(1000);
    }

    /** Before the service's connections are made. */
    static void load(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("ALTER SYSTEM SET session_preload_libraries = 'auto_explain'");
            statement.execute("SELECT pg_reload_conf()");
        }
    }
}
