package io.gpusnap.demo;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/**
 * What a server said to a fixed list of prompts. An answer depends on every weight, the cache, the table, a random token that
 * exists only in the process's memory, and the state file; a prompt that was asked before changes none of them. So a process
 * that is what it was answers the same, and its request counter goes on where it stood.
 */
record Answers(Map<String, String> byPrompt, long requests) {

    static final List<String> PROMPTS = List.of("freeze", "thaw", "again");

    static Answers of(SampleServer server) {
        Map<String, String> byPrompt = new LinkedHashMap<>();
        long requests = 0;
        for (String prompt : PROMPTS) {
            JsonNode answer = server.ask(prompt);
            byPrompt.put(prompt, answer.path("answer").asString());
            requests = answer.path("requests").asLong();
        }
        return new Answers(byPrompt, requests);
    }

    /** Settles the state: asks every prompt once as a new one, then takes the answers. */
    static Answers settled(SampleServer server) {
        PROMPTS.forEach(server::ask);
        return of(server);
    }

    /** @param first the answer to the first prompt, asked once after the thaw and before {@code later} was taken */
    boolean continuedBy(JsonNode first, Answers later) {
        boolean sameFirst = first.path("answer").asString().equals(byPrompt.get(PROMPTS.getFirst()))
                && first.path("requests").asLong() == requests + 1;
        return sameFirst && later.byPrompt.equals(byPrompt);
    }
}
