package io.gpusnap.node.cli;

import io.gpusnap.node.client.Completion;
import java.util.UUID;

/**
 * A snapshot of the local store, for people.
 *
 * @param text several lines: what it holds, what it needs, how much of it is here
 * @param manifestJson the manifest as JSON
 * @param whole every chunk is here with its right size
 */
public record Inspection(
        UUID snapshot,
        String engine,
        String createdAt,
        Completion.Totals totals,
        String manifestDigest,
        String text,
        String manifestJson,
        boolean whole) {}
