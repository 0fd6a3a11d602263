package io.gpusnap.service.operation;

import java.util.Set;

/**
 * A feature that owns what operations are about. Called in the transaction that ends the operation, whichever way it
 * ends: reported by the daemon, cancelled while pending, given up with its node.
 */
public interface OperationOutcomes {

    /** The kinds that this feature owns; each kind has one owner. */
    Set<OperationKind> kinds();

    /**
     * Makes the outcome true in the feature's own rows.
     *
     * @param workloadLost the operation's workload did not survive
     * @return the outcome that stands: the given one, or a failure if what was reported is not acceptable
     */
    Outcome settle(Operation operation, Outcome outcome, boolean workloadLost);
}
