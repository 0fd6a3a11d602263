package io.gpusnap.node.agent;

/** How things stand with the service. */
public enum ConnectionState {
    CONNECTING,
    CONNECTED,
    /** It does not answer. */
    UNREACHABLE,
    /** It answers and refuses this daemon: wrong token, or a request it does not take. */
    REFUSED
}
