package io.gpusnap.demo;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class UnitsTest {

    @Test
    void bytesAreShownInTheLargestUnitThatFits() {
        assertThat(Units.bytes(0)).isEqualTo("0 B");
        assertThat(Units.bytes(1023)).isEqualTo("1023 B");
        assertThat(Units.bytes(1536)).isEqualTo("1.5 KiB");
        assertThat(Units.bytes(768L << 20)).isEqualTo("768.0 MiB");
        assertThat(Units.bytes(5L << 50)).isEqualTo("5120.0 TiB");
    }

    @Test
    void ratiosAreShownAsPercent() {
        assertThat(Units.percent(0.0123)).isEqualTo("1.2 %");
    }
}
