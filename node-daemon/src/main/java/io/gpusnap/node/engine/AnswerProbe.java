package io.gpusnap.node.engine;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A recorded prompt, and how a process that came back has to answer it before anybody else may ask it.
 *
 * @param port on this node; empty is the first one that the process listens on
 * @param path with query
 * @param body sent by POST; empty asks by GET
 * @param expectedTokens that the answer's body has in it, in this order
 * @param limit how long it may take until there is an answer
 */
public record AnswerProbe(
        Optional<Integer> port,
        String path,
        Optional<String> body,
        String contentType,
        int expectedStatus,
        List<String> expectedTokens,
        Duration limit) {

    public AnswerProbe {
        expectedTokens = List.copyOf(expectedTokens);
    }
}
