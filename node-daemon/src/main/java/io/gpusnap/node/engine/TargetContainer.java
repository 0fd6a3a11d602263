package io.gpusnap.node.engine;

import io.gpusnap.gpu.Descriptor;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.Container;
import io.gpusnap.node.process.PidNamespace;
import io.gpusnap.node.process.ProcessId;
import java.io.IOException;
import java.nio.file.Path;

/** The container that a thaw goes into, held open: whatever becomes of its first process's pid, its root stays this one. */
final class TargetContainer implements AutoCloseable {

    private final Container container;
    private final PidNamespace ids;
    private final Descriptor root;
    private final Placeholder placeholder;

    private TargetContainer(Container container, PidNamespace ids, Descriptor root, Placeholder placeholder) {
        this.container = container;
        this.ids = ids;
        this.root = root;
        this.placeholder = placeholder;
    }

    /** @throws StageException CONTAINER_NOT_FOUND when it has ended */
    static TargetContainer open(NodeRuntime runtime, ProcessId init) throws StageException {
        StageException gone = new StageException(
                FailureCode.CONTAINER_NOT_FOUND, "the container's first process, %s, has ended".formatted(init));
        try {
            Descriptor root = Descriptor.of(runtime.proc().of(init.pid()).resolve("root"));
            // Looked at after it was opened: so it is of this very process.
            PidNamespace ids = PidNamespace.of(runtime.proc(), init).orElse(null);
            if (ids == null) {
                root.close();
                throw gone;
            }
            return new TargetContainer(
                    new Container(init), ids, root, new Placeholder(runtime.proc(), runtime.enter(), init));
        } catch (IOException e) {
            throw gone;
        }
    }

    Container container() {
        return container;
    }

    PidNamespace ids() {
        return ids;
    }

    Path root() {
        return root.path();
    }

    Placeholder placeholder() {
        return placeholder;
    }

    @Override
    public void close() {
        root.close();
    }
}
