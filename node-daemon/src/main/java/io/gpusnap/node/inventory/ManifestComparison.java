package io.gpusnap.node.inventory;

import io.gpusnap.node.engine.VerifyOutcome;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.Stage;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;

/** After a verification: is the manifest whose chunks are whole the one that the caller means? */
record ManifestComparison(String expectedDigest) implements Stage {

    @Override
    public String name() {
        return "compare-manifest";
    }

    @Override
    public OnRestart onRestart() {
        return OnRestart.RERUN;
    }

    @Override
    public void run(StageContext context) throws StageException {
        String found = context.recall(VerifyOutcome.class)
                .map(VerifyOutcome::manifestDigest)
                .orElse("none");
        if (!found.equals(expectedDigest)) {
            throw new StageException(
                    FailureCode.MANIFEST_INVALID,
                    "the manifest in this store has digest " + found + ", the caller knows " + expectedDigest);
        }
    }
}
