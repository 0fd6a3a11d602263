package io.gpusnap.service.tier;

import java.util.Optional;

/** Names of packs in shared stores, {@code packs/ab/abcd…}, and of their indexes, {@code indexes/abcd…}. */
final class PackNames {
    private static final String PACKS = "packs/";
    private static final String INDEXES = "indexes/";

    private PackNames() {}

    /** The index of this object; empty where it is no pack. */
    static Optional<String> index(String name) {
        return name.startsWith(PACKS)
                ? Optional.of(INDEXES + name.substring(name.lastIndexOf('/') + 1))
                : Optional.empty();
    }
}
