package io.gpusnap.service.restore.gate;

import io.gpusnap.service.platform.problem.ErrorCode;

/**
 * Why not there.
 *
 * @param gate who says so
 * @param detail names both sides
 */
public record Objection(String gate, ErrorCode code, String detail) {}
