package io.gpusnap.node.peer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class HomesTest {

    private static List<String> nodes(int count) {
        List<String> nodes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            nodes.add(new UUID(1, i).toString());
        }
        return nodes;
    }

    private static Map<String, String> homes(List<String> nodes) {
        Map<String, String> homes = new HashMap<>();
        for (int window = 0; window < 2000; window++) {
            homes.put("pack:" + window, Homes.of("pack:" + window, nodes).orElseThrow());
        }
        return homes;
    }

    @Test
    void everyNodeIsTheHomeOfAboutItsShare() {
        Map<String, Integer> shares = new HashMap<>();
        homes(nodes(8)).values().forEach(home -> shares.merge(home, 1, Integer::sum));
        assertThat(shares).hasSize(8);
        assertThat(shares.values()).allSatisfy(share -> assertThat(share).isBetween(190, 320));
    }

    @Test
    void theOrderInWhichNodesAreToldDoesNotMatter() {
        List<String> shuffled = nodes(8);
        Collections.shuffle(shuffled, new Random(1));
        assertThat(homes(shuffled)).isEqualTo(homes(nodes(8)));
    }

    @Test
    void aNodeThatIsGoneLeavesTheOthersTheirs() {
        Map<String, String> before = homes(nodes(8));
        Map<String, String> after = homes(nodes(7));
        String gone = nodes(8).getLast();
        before.forEach((window, home) -> {
            if (!home.equals(gone)) {
                assertThat(after.get(window)).isEqualTo(home);
            }
        });
    }

    @Test
    void theScoreIsWhatTheDocumentSays() {
        // printf %s "node window" | sha256sum
        assertThat(Long.toHexString(Homes.score("node", "window"))).isEqualTo("3a42b33c034eba9d");
    }
}
