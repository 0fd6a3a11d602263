package io.gpusnap.node;

import io.gpusnap.node.cli.EngineOpener;
import io.gpusnap.node.cli.NodeCommandLine;

/** The command {@code gpusnap-node}; docs/node-daemon.md describes it. */
public final class Main {

    private Main() {}

    public static void main(String[] arguments) {
        System.exit(NodeCommandLine.run(arguments, new EngineOpener()));
    }
}
