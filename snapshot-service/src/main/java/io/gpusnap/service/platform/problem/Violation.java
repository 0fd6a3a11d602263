package io.gpusnap.service.platform.problem;

/**
 * One part of a request that is refused.
 *
 * @param pointer a JSON pointer into the body ({@code /labels/team}), or the name of a parameter or header
 * @param detail what is wrong with it
 */
public record Violation(String pointer, String detail) {}
