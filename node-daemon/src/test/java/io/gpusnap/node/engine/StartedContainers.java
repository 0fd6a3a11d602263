package io.gpusnap.node.engine;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The containers of one test class, ended together. */
final class StartedContainers {

    private final List<TestContainer> containers = new ArrayList<>();

    TestContainer start(Path folder, TestContainer.Setup setup, String... server) throws Exception {
        return started(TestContainer.start(folder, setup, server));
    }

    TestContainer startWithHelper(Path folder, TestContainer.Setup setup) throws Exception {
        return started(TestContainer.startWithHelper(folder, setup));
    }

    private TestContainer started(TestContainer container) {
        containers.add(container);
        return container;
    }

    void end() throws Exception {
        for (TestContainer container : containers) {
            container.close();
        }
        containers.clear();
    }
}
