package io.gpusnap.bench.store;

import java.io.IOException;
import java.io.InputStream;

/** The content of a body in the form {@code aws-chunked}: a line with a length in hex before each chunk. */
final class AwsChunks extends InputStream {

    private final InputStream in;
    private long left;
    private boolean over;
    private boolean first = true;

    AwsChunks(InputStream in) {
        this.in = in;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        if (left == 0 && !over) {
            next();
        }
        if (over) {
            return -1;
        }
        int read = in.read(target, offset, (int) Math.min(left, length));
        left -= Math.max(0, read);
        return read;
    }

    private void next() throws IOException {
        if (!first) {
            line();
        }
        first = false;
        String header = line();
        int end = header.indexOf(';');
        left = Long.parseLong(end < 0 ? header : header.substring(0, end), 16);
        over = left == 0;
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int b = in.read(); b >= 0 && b != '\n'; b = in.read()) {
            if (b != '\r') {
                line.append((char) b);
            }
        }
        return line.toString();
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
