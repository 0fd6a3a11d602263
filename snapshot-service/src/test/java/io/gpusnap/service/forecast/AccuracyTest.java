package io.gpusnap.service.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class AccuracyTest {
    @Test
    void theLossOfAQuantileIsAsymmetric() {
        assertThat(Accuracy.loss(10, 8, 0.9)).isCloseTo(1.8, within(1e-9));
        assertThat(Accuracy.loss(8, 10, 0.9)).isCloseTo(0.2, within(1e-9));
        assertThat(Accuracy.loss(5, 5, 0.9)).isZero();
    }

    @Test
    void aPerfectForecastHasNoError() {
        double[] still = new double[100];
        java.util.Arrays.fill(still, 2);

        Accuracy accuracy = Accuracy.of(new NaiveForecaster(), ForecasterConformance.series(still), 50, 10, 5)
                .orElseThrow();

        assertThat(accuracy.comparisons()).isEqualTo(25);
        assertThat(accuracy.mape()).contains(0.0);
        assertThat(accuracy.wape()).contains(0.0);
        assertThat(accuracy.upperCoverage()).isEqualTo(1);
    }

    @Test
    void withoutDemandThereIsNoPercentage() {
        Accuracy accuracy = Accuracy.of(new NaiveForecaster(), ForecasterConformance.series(new double[100]), 50, 10, 5)
                .orElseThrow();

        assertThat(accuracy.mape()).isEmpty();
        assertThat(accuracy.wape()).isEmpty();
    }

    @Test
    void aSeriesThatIsTooShortIsNotJudged() {
        assertThat(Accuracy.of(new NaiveForecaster(), ForecasterConformance.series(1, 2), 50, 10, 5))
                .isEmpty();
    }
}
