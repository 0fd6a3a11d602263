package io.gpusnap.demo;

import java.util.List;

/**
 * This machine as the hub of a star of {@link Machine}s: one address that all of them reach, in the range that is kept for
 * benchmarks of networks (198.18.0.0/15), so that no real network is hidden by it.
 */
record Network(int number) {

    /** Tests that run beside each other have networks of their own. */
    static Network ofThisProcess() {
        return new Network((int) (ProcessHandle.current().pid() % 512));
    }

    /** Of this machine; it is there from the first machine's start on. */
    String hub() {
        return address(1);
    }

    private String address(int host) {
        return "198.%d.%d.%d".formatted(18 + number / 256, number % 256, host);
    }

    /** The machine's address, once it is joined. */
    String join(int machine, long pid) {
        String here = "gpusnap%d-%d".formatted(number, machine);
        String there = address(10 + machine);
        Commands.run(List.of("ip", "link", "add", here, "type", "veth", "peer", "name", "eth0", "netns", "" + pid));
        Commands.run(List.of("ip", "address", "add", hub(), "peer", there, "dev", here));
        Commands.run(List.of("ip", "link", "set", here, "up"));
        for (List<String> inside : List.of(
                List.of("ip", "link", "set", "lo", "up"),
                List.of("ip", "address", "add", there, "peer", hub(), "dev", "eth0"),
                List.of("ip", "link", "set", "eth0", "up"))) {
            Commands.run(Commands.with(List.of("nsenter", "--target", "" + pid, "--net"), inside));
        }
        return there;
    }
}
