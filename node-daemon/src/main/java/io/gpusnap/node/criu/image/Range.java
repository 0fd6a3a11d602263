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
}
