package io.gpusnap.node.engine;

import io.gpusnap.node.operation.StagePlan;
import java.util.List;

/**
 * A way to freeze and thaw. Guarantees of every engine, held by {@code CheckpointEngineContract}:
 *
 * <ul>
 *   <li>A plan touches nothing before its {@code preflight} stage has passed; every refusal is typed and leaves the
 *       workload as it was.
 *   <li>A save that fails or is cut off leaves the workload alive, or remembers {@link WorkloadLost}; it never hangs.
 *   <li>A save that succeeds leaves {@link SaveOutcome}; its snapshot names only chunks that are durable and verified.
 *   <li>No thawed process runs before every byte of it was verified; a thaw that fails leaves no process, no VRAM, no
 *       scratch file. A thaw that succeeds leaves {@link ThawOutcome}.
 * </ul>
 */
public interface CheckpointEngine {

    EngineId id();

    /** The engine's own capability and those it needs, each with its reason. */
    List<Capability> capabilities();

    /** Planning has no effect; the same request gives an equal plan after a daemon restart. */
    StagePlan save(SaveRequest request);

    StagePlan thaw(ThawRequest request);
}
