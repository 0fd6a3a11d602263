package io.gpusnap.service.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ForecastTest {
    /** One step whose quantile at each level is 20 times the level, and less so much. */
    private static Forecast of(double less) {
        double[] values =
                Arrays.stream(Forecast.levels()).map(level -> 20 * level - less).toArray();
        return new Forecast(Instant.EPOCH, Duration.ofMinutes(5), new double[][] {values});
    }

    @Test
    void quantilesAndProbabilitiesAreTheSameLineReadBothWays() {
        Forecast forecast = of(0);

        for (double level : new double[] {0.05, 0.12, 0.5, 0.6, 0.93, 0.95}) {
            double value = forecast.quantile(0, level);
            assertThat(forecast.probabilityOf(0, value)).isCloseTo(1 - level, within(1e-9));
        }
        assertThat(forecast.quantile(0, 0.99)).isEqualTo(19);
        assertThat(forecast.probabilityOf(0, 0)).isEqualTo(0.95);
        assertThat(forecast.probabilityOf(0, 20)).isZero();
    }

    @Test
    void demandIsNeverBelowNothing() {
        assertThat(of(5).quantile(0, 0.1)).isZero();
    }

    @Test
    void whatIsKnownToBeReachedIsCertain() {
        Forecast raised = of(0).atLeast(6, 1);

        assertThat(raised.probabilityOf(0, 5.5)).isEqualTo(1);
        assertThat(raised.probabilityOf(0, 12)).isEqualTo(of(0).probabilityOf(0, 12));
        assertThat(raised.quantile(0, 0.05)).isEqualTo(6);
        assertThat(raised.quantile(0, 0.5)).isEqualTo(10);
        assertThat(of(0).atLeast(6, 0).quantile(0, 0.05)).isEqualTo(1);
    }
}
