package io.gpusnap.service.restore;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.restore.gate.Constraints;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Where a version could be thawed, for those who choose the node themselves. */
@Service
public class ThawPlaces {
    private final Decider decider;

    ThawPlaces(Decider decider) {
        this.decider = decider;
    }

    /** Those of the nodes that reach a READY full snapshot of the version which all gates let pass there. */
    @Transactional(readOnly = true)
    public Set<NodeId> of(String model, String version, List<NodeId> among) {
        return decider.ableToThaw(
                new Decider.Question(model, version, Optional.empty(), Constraints.among(among), Set.of(), false));
    }
}
