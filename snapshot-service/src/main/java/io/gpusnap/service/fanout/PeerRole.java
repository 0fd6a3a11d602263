package io.gpusnap.service.fanout;

import io.swagger.v3.oas.annotations.media.Schema;

/** What a node has to do with a snapshot. */
@Schema(name = "PeerRole")
public enum PeerRole {
    /** Its own store has all of it. */
    HOLDER,
    /** It brings it back, or copies it into a tier of its own, right now. */
    FETCHER,
    /** It brought it back a while ago: its memory may have chunks. */
    RECENT
}
