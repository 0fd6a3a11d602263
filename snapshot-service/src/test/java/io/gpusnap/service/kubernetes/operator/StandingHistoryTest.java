package io.gpusnap.service.kubernetes.operator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class StandingHistoryTest {
    private final StandingHistory history = new StandingHistory();

    private void looks(int times, Standing standing) {
        for (int i = 0; i < times; i++) {
            history.look(Map.of("pod", standing));
        }
    }

    @Test
    void aStandingCountsOnceItHasLasted() {
        looks(StandingHistory.LOOKS - 1, Standing.HOT);
        assertThat(history.of("pod")).isEmpty();

        looks(1, Standing.HOT);
        assertThat(history.of("pod")).contains(Standing.HOT);
    }

    @Test
    void whatComesAndGoesDoesNotCount() {
        looks(StandingHistory.LOOKS - 1, Standing.HOT);
        looks(1, Standing.STORED);
        looks(StandingHistory.LOOKS - 1, Standing.HOT);

        assertThat(history.of("pod")).isEmpty();
    }

    @Test
    void aNodeThatIsAboutToGoCountsAtOnce() {
        looks(1, Standing.LEAVING);

        assertThat(history.of("pod")).contains(Standing.LEAVING);
    }

    @Test
    void ofAPodThatIsGoneNothingIsKept() {
        looks(StandingHistory.LOOKS, Standing.HOT);
        history.look(Map.of());

        assertThat(history.of("pod")).isEmpty();
    }
}
