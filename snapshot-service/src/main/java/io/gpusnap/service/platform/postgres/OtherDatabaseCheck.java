package io.gpusnap.service.platform.postgres;

import io.gpusnap.service.platform.config.BadConfigurationException;
import io.gpusnap.service.platform.config.StartCheck;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;
import org.springframework.stereotype.Component;

/**
 * Connects once to the database that {@code spring.datasource.url} names, so that a wrong one is told by the setting's
 * name. The last of the checks: the others need nobody's answer.
 */
@Component
@Order(Ordered.LOWEST_PRECEDENCE)
class OtherDatabaseCheck implements StartCheck {
    private static final String URL = "spring.datasource.url";
    private static final String USERNAME = "spring.datasource.username";
    private static final String PASSWORD = "spring.datasource.password";
    private static final String LIMIT_SECONDS = "10";

    private final Environment environment;

    OtherDatabaseCheck(Environment environment) {
        this.environment = environment;
    }

    @Override
    public void check() {
        String url = environment.getProperty(URL);
        if (url == null) {
            return;
        }
        Properties properties = new Properties();
        put(properties, "user", environment.getProperty(USERNAME));
        put(properties, "password", environment.getProperty(PASSWORD));
        put(properties, "connectTimeout", LIMIT_SECONDS);
        put(properties, "loginTimeout", LIMIT_SECONDS);
        try (Connection connection = DriverManager.getConnection(url, properties)) {
            connection.getMetaData();
        } catch (SQLException e) {
            throw isAboutTheUser(e)
                    ? new BadConfigurationException(
                            USERNAME, "or " + PASSWORD + ": the database refuses them: " + e.getMessage())
                    : new BadConfigurationException(URL, "the database cannot be reached: " + e.getMessage());
        }
    }

    private static void put(Properties properties, String name, @Nullable String value) {
        if (value != null) {
            properties.setProperty(name, value);
        }
    }

    /** SQLSTATE class 28, "invalid authorization"; 08004, "connection rejected", is the driver's for a missing password. */
    private static boolean isAboutTheUser(SQLException e) {
        String state = String.valueOf(e.getSQLState());
        return state.startsWith("28") || state.equals("08004");
    }
}
