package io.gpusnap.node.tier;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RoomPromiseTest {

    private final AtomicLong ofAll = new AtomicLong();

    @Test
    void whatIsWrittenIsNotKeptTwice() {
        RoomPromise first = new RoomPromise(ofAll, 100);
        RoomPromise second = new RoomPromise(ofAll, 10);
        first.used(30);
        assertThat(ofAll).hasValue(80);
        // more than was asked for
        second.used(25);
        second.used(5);
        assertThat(ofAll).hasValue(70);
        first.close();
        assertThat(ofAll).hasValue(0);
        first.used(1);
        second.close();
        assertThat(ofAll).hasValue(0);
    }
}
