package io.gpusnap.node.agent;

/** @param version of this daemon */
public record AgentIdentity(String nodeName, String version) {}
