package io.gpusnap.node.tier.pack;

/**
 * @param name of the tier on this node, as operations name it
 * @param packBytes how long a pack gets, 16 MiB to 256 MiB
 */
public record PackSettings(String name, long packBytes) {

    private static final long LEAST_PACK_BYTES = 16L << 20;
    private static final long MOST_PACK_BYTES = 256L << 20;

    public PackSettings {
        if (!name.matches("[a-z0-9][a-z0-9-]{0,62}")) {
            throw new IllegalArgumentException("a tier's name is of lower-case letters, digits and dashes: " + name);
        }
        if (packBytes < LEAST_PACK_BYTES || packBytes > MOST_PACK_BYTES) {
            throw new IllegalArgumentException("a pack has 16 MiB to 256 MiB, not " + packBytes);
        }
    }

    public static PackSettings of(String name) {
        return new PackSettings(name, 64L << 20);
    }
}
