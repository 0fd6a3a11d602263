package io.gpusnap.node.engine;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The containers of one test class, ended together. */
final class StartedContainers {

    private final List<TestContainer> containers = new ArrayList<>();

    TestContainer start(Path folder, TestContainer.Setup setup, String... server) throws Exception {
        TestContainer container = TestContainer.start(folder, setup, server);
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
