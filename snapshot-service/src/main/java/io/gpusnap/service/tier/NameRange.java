package io.gpusnap.service.tier;

import org.jspecify.annotations.Nullable;

/** Names after {@code after} up to {@code upTo}, by UTF-8 bytes; null for no bound. */
record NameRange(@Nullable String after, @Nullable String upTo) {}
