package io.gpusnap.service.platform.web;

import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import java.io.IOException;
import java.util.function.Supplier;

/** Throws once more than the limit was read. */
final class CountingInputStream extends ServletInputStream {
    private final ServletInputStream in;
    private final long limitBytes;
    private final Supplier<RuntimeException> tooMuch;
    private long seenBytes;

    CountingInputStream(ServletInputStream in, long limitBytes, Supplier<RuntimeException> tooMuch) {
        this.in = in;
        this.limitBytes = limitBytes;
        this.tooMuch = tooMuch;
    }

    @Override
    public int read() throws IOException {
        int one = in.read();
        count(one < 0 ? 0 : 1);
        return one;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
        int got = in.read(buffer, offset, length);
        count(Math.max(got, 0));
        return got;
    }

    private void count(int bytes) {
        seenBytes += bytes;
        if (seenBytes > limitBytes) {
            throw tooMuch.get();
        }
    }

    @Override
    public boolean isFinished() {
        return in.isFinished();
    }

    @Override
    public boolean isReady() {
        return in.isReady();
    }

    @Override
    public void setReadListener(ReadListener listener) {
        in.setReadListener(listener);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
