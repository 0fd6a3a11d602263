package io.gpusnap.node.tier.s3;

import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import software.amazon.awssdk.core.sync.RequestBody;

/** Memory as the body of a request, sent from where it is, from its start each time it is asked for. */
final class SegmentBody extends InputStream {

    private final MemorySegment content;
    private long position;

    private SegmentBody(MemorySegment content) {
        this.content = content;
    }

    static RequestBody of(MemorySegment content) {
        return RequestBody.fromContentProvider(
                () -> new SegmentBody(content), content.byteSize(), "application/octet-stream");
    }

    @Override
    public int read() {
        return position == content.byteSize() ? -1 : content.get(ValueLayout.JAVA_BYTE, position++) & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) {
        if (length == 0) {
            return 0;
        }
        int count = (int) Math.min(length, content.byteSize() - position);
        if (count == 0) {
            return -1;
        }
        MemorySegment.copy(content, ValueLayout.JAVA_BYTE, position, target, offset, count);
        position += count;
        return count;
    }
}
