package io.gpusnap.service.forecast;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class NaiveForecasterTest extends ForecasterConformance {
    @Override
    Forecaster forecaster() {
        return new NaiveForecaster();
    }

    @Test
    void whatIsNowGoesOnAndTheSpreadIsThatOfPastChanges() {
        Forecast forecast = forecaster().forecast(series(2, 4, 2, 4, 2, 4, 2, 4, 2, 4, 2), 1);

        assertThat(forecast.quantile(0, 0.1)).isEqualTo(0);
        assertThat(forecast.quantile(0, 0.5)).isEqualTo(2);
        assertThat(forecast.quantile(0, 0.9)).isEqualTo(4);
    }
}
