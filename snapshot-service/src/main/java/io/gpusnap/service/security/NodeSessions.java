package io.gpusnap.service.security;

/** Knows which session tokens of daemons are good; implemented by the nodes' feature. */
public interface NodeSessions {

    /** What a session token turned out to be. */
    sealed interface Check {}

    /** The token of the node's newest registration. */
    record Valid(NodeCaller caller) implements Check {}

    /** A token of an earlier registration. */
    record Stale() implements Check {}

    /** Not a token that was ever given out, as far as is known. */
    record Unknown() implements Check {}

    Check check(NodeSessionToken token);
}
