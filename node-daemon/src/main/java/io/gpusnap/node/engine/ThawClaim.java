package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.Containers;
import io.gpusnap.node.process.PlaceholderState;
import java.util.Optional;

/**
 * The container is the one that the caller means, and its placeholder waits from here on for this thaw. Whatever ends the thaw
 * early ends in the container's own command.
 */
final class ThawClaim extends EngineStage {

    private final ThawSession session;
    private final ContainerRef wanted;

    ThawClaim(ThawSession session, ContainerRef wanted) {
        super("claim", session.times());
        this.session = session;
        this.wanted = wanted;
    }

    @Override
    void execute(StageContext context) throws StageException, InterruptedException {
        NodeRuntime runtime = session.runtime();
        Containers.Found found = new Containers(runtime.proc())
                .find(wanted.podUid(), wanted.containerId())
                .orElseThrow(() -> new StageException(
                        FailureCode.CONTAINER_NOT_FOUND,
                        "no container %s with processes of its own runs on this node".formatted(wanted.containerId())));
        if (!found.ofPod()) {
            throw new StageException(
                    FailureCode.CONTAINER_NOT_FOUND,
                    "container %s is not of the pod with UID %s: a pod that is made anew has another UID"
                            .formatted(wanted.containerId(), wanted.podUid()));
        }
        Placeholder placeholder = new Placeholder(
                runtime.proc(), runtime.enter(), found.container().init());
        Optional<PlaceholderState> state = placeholder.state();
        if (state.isEmpty() || state.get() != PlaceholderState.WAITING) {
            throw new StageException(
                    FailureCode.CONTAINER_NOT_READY,
                    "the first process of container %s %s"
                            .formatted(
                                    wanted.containerId(),
                                    state.map(now -> "is a placeholder that is " + now + ", not WAITING")
                                            .orElse("is no gpusnap-placeholder")));
        }
        context.remember(new ClaimedContainer(found.container().init()));
        placeholder.claim();
    }

    @Override
    void undo(StageContext context) throws StageException, InterruptedException {
        Optional<ClaimedContainer> claimed = context.recall(ClaimedContainer.class);
        if (claimed.isPresent()) {
            NodeRuntime runtime = session.runtime();
            new Placeholder(runtime.proc(), runtime.enter(), claimed.get().init()).cold();
        }
    }
}
