package io.gpusnap.service.restore;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.snapshot.Needs.UsedGpu;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GpuChoiceTest {
    private static final UsedGpu FIRST = new UsedGpu(0, "GPU-a", "H200", 60);
    private static final UsedGpu SECOND = new UsedGpu(1, "GPU-b", "H200", 80);

    @Test
    void whatHasRoomWhereItWasStaysThere() {
        assertThat(choice(List.of(FIRST), gpu(0, "GPU-x", 90), gpu(1, "GPU-a", 60)))
                .isEmpty();
        // and elsewhere the ordinal is as good, also beside an emptier one
        assertThat(choice(List.of(FIRST), gpu(0, "GPU-x", 60), gpu(1, "GPU-y", 90)))
                .isEmpty();
    }

    @Test
    void fromAFullOneItGoesToTheEmptiestOfItsModel() {
        assertThat(choice(
                        List.of(FIRST),
                        gpu(0, "GPU-a", 59),
                        gpu(1, "GPU-x", 70),
                        gpu(2, "GPU-y", 80),
                        new Inventory.Gpu(3, "GPU-z", "H100", 100, 100, false, false, "9.0")))
                .containsExactly(Map.entry("0", "GPU-y"));
    }

    @Test
    void noTwoGoToOne() {
        // given two that both were on others; the larger one chooses first
        assertThat(choice(
                        List.of(FIRST, SECOND),
                        gpu(0, "GPU-w", 10),
                        gpu(1, "GPU-x", 10),
                        gpu(2, "GPU-y", 100),
                        gpu(3, "GPU-z", 70)))
                .containsOnly(Map.entry("0", "GPU-z"), Map.entry("1", "GPU-y"));
        // and who stays is named as well, for nobody else to take it
        assertThat(choice(List.of(FIRST, SECOND), gpu(0, "GPU-a", 100), gpu(1, "GPU-b", 10), gpu(2, "GPU-y", 100)))
                .containsOnly(Map.entry("0", "GPU-a"), Map.entry("1", "GPU-y"));
    }

    @Test
    void whereNothingHasRoomTheDaemonSaysSo() {
        assertThat(choice(List.of(FIRST), gpu(0, "GPU-a", 59), gpu(1, "GPU-x", 59)))
                .isEmpty();
        assertThat(choice(List.of(FIRST, SECOND), gpu(0, "GPU-x", 100))).isEmpty();
    }

    private static Map<String, String> choice(List<UsedGpu> wanted, Inventory.Gpu... here) {
        return GpuChoice.of(wanted, List.of(here));
    }

    private static Inventory.Gpu gpu(int ordinal, String uuid, long free) {
        return new Inventory.Gpu(ordinal, uuid, "H200", 100, free, false, false, "9.0");
    }
}
