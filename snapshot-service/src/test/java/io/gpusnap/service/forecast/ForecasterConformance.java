package io.gpusnap.service.forecast;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What every {@link Forecaster} must hold; a forecaster's test is a subclass. */
abstract class ForecasterConformance {
    static final Duration STEP = Duration.ofMinutes(5);
    static final Instant END = Instant.parse("2026-01-10T00:00:00Z");

    abstract Forecaster forecaster();

    static Series series(double... values) {
        return new Series(END, STEP, values);
    }

    /** Days of 288 steps that go up and down between 2 and 18, with noise of a fixed seed. */
    static Series days(int days, double noise, double growthADay) {
        Random random = new Random(7);
        double[] values = IntStream.range(0, days * 288)
                .mapToDouble(i -> Math.max(
                        0,
                        10
                                - 8 * Math.cos(2 * Math.PI * i / 288)
                                + growthADay * i / 288
                                + noise * random.nextGaussian()))
                .toArray();
        return new Series(END, STEP, values);
    }

    static List<Double> quantiles(Forecast forecast, double level) {
        return IntStream.range(0, forecast.length())
                .mapToObj(i -> forecast.quantile(i, level))
                .toList();
    }

    @Test
    void itAnswersForEverySeries() {
        for (Series series :
                List.of(series(), series(3), series(0, 0, 0), days(1, 1, 0), days(3, 1, 0), days(9, 1, 0))) {
            Forecast forecast = forecaster().forecast(series, 12);

            assertThat(forecast.length()).isEqualTo(12);
            assertThat(forecast.at(0)).isEqualTo(END);
            assertThat(forecast.at(1)).isEqualTo(END.plus(STEP));
            assertThat(quantiles(forecast, 0.5))
                    .allSatisfy(value -> assertThat(value).isFinite().isNotNegative());
        }
    }

    @Test
    void quantilesDoNotCross() {
        Forecast forecast = forecaster().forecast(days(5, 3, 0), 288);

        for (int i = 0; i < forecast.length(); i++) {
            double before = 0;
            for (double level : Forecast.levels()) {
                assertThat(forecast.quantile(i, level)).isGreaterThanOrEqualTo(before);
                before = forecast.quantile(i, level);
            }
        }
    }

    @Test
    void whatStandsStillStaysWhereItIs() {
        double[] still = new double[1000];
        java.util.Arrays.fill(still, 4);

        Forecast forecast = forecaster().forecast(series(still), 24);

        assertThat(quantiles(forecast, 0.1))
                .allSatisfy(value -> assertThat(value).isEqualTo(4));
        assertThat(quantiles(forecast, 0.95))
                .allSatisfy(value -> assertThat(value).isEqualTo(4));
    }

    @Test
    void theSameSeriesGetsTheSameForecast() {
        Forecaster forecaster = forecaster();
        Series series = days(4, 2, 0);
        Forecast first = forecaster.forecast(series, 24);

        forecaster.forecast(days(6, 1, 3), 24);

        assertThat(quantiles(forecaster.forecast(series, 24), 0.9)).isEqualTo(quantiles(first, 0.9));
    }

    @Test
    void theFutureHasNoInfluence() {
        // given two series that are the same up to a day ago and differ since
        Series one = days(6, 2, 0);
        double[] other = IntStream.range(0, one.length())
                .mapToDouble(i -> i < 5 * 288 ? one.at(i) : 1000)
                .toArray();

        // when both are asked with what was known then
        Forecast first = forecaster().forecast(one.until(5 * 288), 24);
        Forecast second = forecaster().forecast(series(other).until(5 * 288), 24);

        // then
        assertThat(quantiles(second, 0.5)).isEqualTo(quantiles(first, 0.5));
        assertThat(second.at(0)).isEqualTo(END.minus(Duration.ofDays(1)));
    }
}
