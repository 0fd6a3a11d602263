package io.gpusnap.service.operation;

/** The feature that keeps where copies are. Called in the transaction that ends the operation, before its outcome settles. */
public interface DamageListener {
    void found(Operation operation, DamagedCopy damaged);
}
