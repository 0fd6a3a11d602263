package io.gpusnap.demo;

import tools.jackson.databind.JsonNode;

/** How a process is frozen on this machine. */
enum Engine {
    /** The whole process becomes a snapshot: it can be killed, and comes back from the store. */
    CRIU_CUDA("criu+cuda"),
    /** The process stays, frozen, and gives its device memory back. */
    SUSPEND("suspend");

    private final String id;

    Engine(String id) {
        this.id = id;
    }

    String id() {
        return id;
    }

    /** The full engine where the node has it. */
    static Engine bestOf(JsonNode node) {
        return whyMissing(node, CRIU_CUDA).isEmpty() ? CRIU_CUDA : SUSPEND;
    }

    /** The reason that the node's daemon gives, empty if the engine can be used there. */
    static String whyMissing(JsonNode node, Engine engine) {
        for (JsonNode capability : node.path("inventory").path("capabilities")) {
            if (capability.path("name").asString("").equals(engine.id)) {
                return capability.path("available").asBoolean(false)
                        ? ""
                        : capability.path("reason").asString("no reason given");
            }
        }
        return "the daemon does not know it";
    }
}
