package io.gpusnap.node.criu;

import java.util.Optional;

/**
 * Whether this node can run CRIU.
 *
 * @param version empty when no CRIU was found
 * @param reason what was found, or what is missing and how to get it
 */
public record CriuProbe(boolean available, Optional<CriuVersion> version, String reason) {}
