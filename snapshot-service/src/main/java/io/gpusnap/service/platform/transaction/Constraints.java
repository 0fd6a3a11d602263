package io.gpusnap.service.platform.transaction;

import java.sql.SQLException;
import org.springframework.dao.DataIntegrityViolationException;

/** Tells the database constraint that a feature expects from every other one. */
public final class Constraints {
    private Constraints() {}

    /**
     * Whether this constraint or unique index was it.
     *
     * @param name as in the migrations
     */
    public static boolean isViolated(DataIntegrityViolationException e, String name) {
        return e.getMostSpecificCause() instanceof SQLException sql
                && String.valueOf(sql.getMessage()).contains("\"" + name + "\"");
    }
}
