package io.gpusnap.node.cli;

import io.gpusnap.node.client.Completion;
import java.util.List;
import java.util.UUID;

/**
 * A snapshot of the local store, for people.
 *
 * @param process its executable and arguments
 * @param environment GPU, driver, kernel and the like, one "what: value" each
 * @param manifestJson the manifest's exact text
 * @param problems what is wrong with it here, empty when nothing was found
 */
public record Inspection(
        UUID snapshot,
        String engine,
        String createdAt,
        int pid,
        List<String> process,
        List<String> environment,
        Completion.Totals totals,
        String manifestDigest,
        String manifestJson,
        List<String> problems) {}
