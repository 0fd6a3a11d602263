package io.gpusnap.service.operation;

/** What a daemon can be asked to do. */
public enum OperationKind {
    SAVE(OperationSpec.Save.class),
    THAW(OperationSpec.Thaw.class),
    SWITCH(OperationSpec.Switch.class),
    VERIFY(OperationSpec.Verify.class),
    DELETE(OperationSpec.Delete.class),
    TRANSFER(TierSpec.Transfer.class),
    EVICT(TierSpec.Evict.class),
    SWEEP(TierSpec.Sweep.class),
    SCRUB(TierSpec.Scrub.class);

    private final Class<? extends OperationSpec> spec;

    OperationKind(Class<? extends OperationSpec> spec) {
        this.spec = spec;
    }

    Class<? extends OperationSpec> spec() {
        return spec;
    }
}
