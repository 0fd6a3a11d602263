package io.gpusnap.service.forecast;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SeasonalForecasterTest extends ForecasterConformance {
    @Override
    Forecaster forecaster() {
        return new SeasonalForecaster(Duration.ofDays(1), 14);
    }

    private static Accuracy of(Forecaster forecaster, Series series, int ahead) {
        return Accuracy.of(forecaster, series, 288, 12, ahead).orElseThrow();
    }

    @Test
    void aDailyRiseIsSeenBeforeItBegins() {
        // given six days, the last ending at midnight, the lowest point
        Forecast forecast = forecaster().forecast(days(6, 0.5, 0), 144);

        // then noon, twelve hours ahead, is near the peak
        assertThat(forecast.quantile(0, 0.5)).isBetween(1.0, 4.0);
        assertThat(forecast.quantile(143, 0.5)).isBetween(16.0, 19.0);
    }

    @Test
    void itIsBetterThanTheBaselineWhereThereIsASeason() {
        Series series = days(9, 0.5, 0);

        Accuracy seasonal = of(forecaster(), series, 36);
        Accuracy naive = of(new NaiveForecaster(), series, 36);

        assertThat(seasonal.medianLoss()).isLessThan(0.7 * naive.medianLoss());
        assertThat(seasonal.upperLoss()).isLessThan(0.7 * naive.upperLoss());
        assertThat(seasonal.upperCoverage()).isBetween(0.8, 0.98);
    }

    @Test
    void growthFromDayToDayIsFollowed() {
        Series series = days(9, 0.5, 2);
        double actual = days(10, 0, 2).at(9 * 288 + 143);

        Forecast forecast = forecaster().forecast(series, 144);

        assertThat(forecast.quantile(143, 0.5)).isBetween(0.75 * actual, 1.1 * actual);
    }

    @Test
    void aSurgeIsCarriedOnAndFades() {
        // given an ordinary week whose last half hour has 20 more than it should
        Series ordinary = days(7, 0, 0);
        double[] values = new double[ordinary.length()];
        Arrays.setAll(values, i -> ordinary.at(i) + (i >= ordinary.length() - 6 ? 20 : 0));

        // when
        Forecast usual = forecaster().forecast(ordinary, 36);
        Forecast surge = forecaster().forecast(series(values), 36);

        // then
        assertThat(surge.quantile(0, 0.5) - usual.quantile(0, 0.5)).isBetween(12.0, 20.0);
        assertThat(surge.quantile(35, 0.5) - usual.quantile(35, 0.5)).isBetween(-0.5, 2.0);
    }

    @Test
    void anUncertainTimeOfTheDayHasAWideForecast() {
        // given days that are quiet but for a burst at noon on every second one
        double[] values = new double[8 * 288];
        for (int day = 0; day < 8; day += 2) {
            Arrays.fill(values, day * 288 + 140, day * 288 + 150, 9);
        }

        Forecast forecast = forecaster().forecast(series(values), 150);

        assertThat(forecast.probabilityOf(145, 8.5)).isBetween(0.3, 0.7);
        assertThat(forecast.probabilityOf(20, 8.5)).isZero();
    }
}
