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
 */
public record Demand(Engine engine, Optional<CompatibilityClass> compatibility, Optional<Needs> needs) {}
