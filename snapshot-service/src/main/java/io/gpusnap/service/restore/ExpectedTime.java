package io.gpusnap.service.restore;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.util.List;

/**
 * How long a way back should take.
 *
 * @param seconds the sum of the parts
 * @param basis where the thaw's own seconds are from
 * @param samples number of thaws that were looked at
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record ExpectedTime(double seconds, List<Part> parts, Basis basis, int samples) {

    /** One part; {@code queue}, {@code fetch} or {@code thaw}. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Part(String name, double seconds) {}

    /** Where a figure is from. */
    public enum Basis {
        /** Median of this version's thaws on this node. */
        MEASURED_HERE,
        /** Median of this version's thaws on other nodes. */
        MEASURED_ELSEWHERE,
        /** Nothing is measured yet: its bytes at the configured rate. */
        ASSUMED
    }
}
