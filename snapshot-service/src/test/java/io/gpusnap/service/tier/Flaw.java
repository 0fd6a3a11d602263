package io.gpusnap.service.tier;

/** One protection that is taken away, and what a {@link StoreModel} says that notices. */
enum Flaw {
    NONE(""),
    NO_GRACE("a copy needed it a moment ago"),
    NO_RECHECK("objects of a copy that counts"),
    REFERENCES_IGNORED("objects of a copy that counts"),
    TRANSFERS_IGNORED("objects of a copy that counts"),
    INDEXES_IGNORED("an index before its pack"),
    LEASES_IGNORED("a copy that is read"),
    LAST_COPY_IGNORED("a copy of each snapshot");

    final String noticed;

    Flaw(String noticed) {
        this.noticed = noticed;
    }
}
