package io.gpusnap.service.platform.metrics;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;

/**
 * One gauge for each constant of an enum, out of one query. Counted when {@link #update} is called and not when somebody
 * scrapes, so that scraping costs the database nothing. Constants that no row has are 0, not absent.
 */
public final class CountGauges<E extends Enum<E>> {
    private volatile Map<E, Long> counts = Map.of();

    /**
     * Registers the gauges, all at 0.
     *
     * @param name of the meter
     * @param tag that tells the constants apart
     */
    public CountGauges(MeterRegistry registry, String name, String tag, Class<E> constants) {
        Arrays.stream(constants.getEnumConstants())
                .forEach(constant -> Gauge.builder(name, () -> counts.getOrDefault(constant, 0L))
                        .tag(tag, constant.name().toLowerCase(Locale.ROOT))
                        .register(registry));
    }

    public void update(Map<E, Long> now) {
        counts = Map.copyOf(now);
    }
}
