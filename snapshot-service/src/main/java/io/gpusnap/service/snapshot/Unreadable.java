package io.gpusnap.service.snapshot;

import io.swagger.v3.oas.annotations.media.Schema;

/** Why a copy that nothing is known to be wrong with cannot be read, though its store answers or did when it was tried. */
@Schema(name = "Unreadable")
public enum Unreadable {
    /** The node of the last scrub could not open what it is encrypted by. */
    NO_KEY,
    /** The node of the last scrub trusts nobody who signed it. */
    UNTRUSTED_SIGNER,
    /** The store gave the last scrub no answer. */
    NO_ANSWER,
    /** No scrub has tried, and of the nodes that are heard and can use the store none says that it can open and trusts it. */
    NO_READER
}
