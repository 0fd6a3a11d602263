package io.gpusnap.node.archive;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.key.KeyProvider;
import io.gpusnap.node.tier.key.PortableKey;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;

/** The key of an encrypted archive, as its annotations have it. */
public final class ArchiveKey {

    private ArchiveKey() {}

    static boolean isSealed(OciJson.Image image) {
        return Objects.requireNonNullElse(image.layers(), java.util.List.<Descriptor>of()).stream()
                .anyMatch(layer -> layer.mediaType().equals(MediaTypes.SEALED_CHUNKS));
    }

    /**
     * Who may open archives.
     *
     * @param tenant of this node: it opens no other's
     */
    public record Holder(Optional<KeyProvider> provider, String tenant) {

        /** @throws TierException NO_KEY when it is encrypted, and not for this node */
        Optional<PortableKey> open(OciJson.Image image) throws TierException {
            if (!isSealed(image)) {
                return Optional.empty();
            }
            Map<String, String> notes = Objects.requireNonNullElse(image.annotations(), Map.of());
            String owner = note(notes, Notes.TENANT);
            if (provider.isEmpty() || !owner.equals(tenant)) {
                throw new TierException(
                        Reason.NO_KEY,
                        "the archive is encrypted for %s, this node has %s"
                                .formatted(
                                        owner, provider.isEmpty() ? "no key (tiers.keyFile)" : "the key of " + tenant));
            }
            try {
                return Optional.of(PortableKey.open(
                        provider.get(),
                        tenant,
                        UUID.fromString(note(notes, Notes.ARCHIVE)),
                        note(notes, Notes.KEY_ID),
                        HexFormat.of().parseHex(note(notes, Notes.WRAPPED_KEY))));
            } catch (IllegalArgumentException e) {
                throw new TierException(Reason.CORRUPT, "the archive's key is none: " + e.getMessage(), e);
            }
        }

        private static String note(Map<String, String> notes, String name) throws TierException {
            String value = notes.get(name);
            if (value == null) {
                throw new TierException(Reason.CORRUPT, "the archive is encrypted and has no annotation " + name);
            }
            return value;
        }
    }
}
