package io.gpusnap.node.criu.image;

/** Addresses from start to before end. */
record Range(long start, long end) {

    long sizeBytes() {
        return end - start;
    }

    boolean isEmpty() {
        return end <= start;
    }

    Range common(Range other) {
        return new Range(Math.max(start, other.start), Math.min(end, other.end));
    }

    /** The whole blocks in it; may be empty. */
    Range wholeBlocks(long blockBytes) {
        return new Range(Math.ceilDiv(start, blockBytes) * blockBytes, end / blockBytes * blockBytes);
    }
}
