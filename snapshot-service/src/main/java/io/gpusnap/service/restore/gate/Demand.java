package io.gpusnap.service.restore.gate;

import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.snapshot.CompatibilityClass;
import io.gpusnap.service.snapshot.Needs;
import java.util.Optional;

/**
 * What a snapshot asks of a node. What an older manifest did not say is empty: then the daemon's own check decides.
 *
 * @param compatibility what the node must be like
 * @param needs what it needs besides
 * @param intoContainer whether it is to come back in a container
 */
public record Demand(
        Engine engine, Optional<CompatibilityClass> compatibility, Optional<Needs> needs, boolean intoContainer) {

    /** Of a process that comes back beside its daemon, or of which that is not known. */
    public Demand(Engine engine, Optional<CompatibilityClass> compatibility, Optional<Needs> needs) {
        this(engine, compatibility, needs, false);
    }

    /** Where it is to come back. */
    public Demand inContainer(boolean container) {
        return new Demand(engine, compatibility, needs, container);
    }
}
