package io.gpusnap.service.kubernetes.operator;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * How pods stood at the last looks. A standing counts once it has been the same for some looks: what comes and goes in a node's
 * memory does not. That its node is about to go counts at once.
 */
final class StandingHistory {
    static final int LOOKS = 3;

    private record Seen(Standing standing, int looks) {}

    private Map<String, Seen> seen = Map.of();

    /** Another look, at all pods that there are, by uid. */
    void look(Map<String, Standing> now) {
        Map<String, Seen> looked = new HashMap<>();
        now.forEach((uid, standing) -> {
            Seen before = seen.get(uid);
            int looks = before == null || before.standing() != standing ? 0 : before.looks();
            looked.put(uid, new Seen(standing, looks + 1));
        });
        seen = looked;
    }

    /** How it stands; empty while that does not count yet. */
    Optional<Standing> of(String uid) {
        return Optional.ofNullable(seen.get(uid))
                .filter(one -> one.standing() == Standing.LEAVING || one.looks() >= LOOKS)
                .map(Seen::standing);
    }
}
