package io.gpusnap.node.tier.pack;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierKind;
import io.gpusnap.node.tier.TierUsage;
import io.gpusnap.node.tier.blob.BlobInfo;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A real store, in which something happens between its answer and the caller's going on: once, for the call that is meant. */
public final class WatchedStore implements BlobStore {

    /** What happens. */
    @FunctionalInterface
    public interface Event {
        void happen() throws Exception;
    }

    private final BlobStore real;
    private String meant = "";
    private Event event = () -> {};

    public WatchedStore(BlobStore real) {
        this.real = real;
    }

    /** @param call {@code list indexes/}, {@code read packs/ab/…}: how it begins */
    public void after(String call, Event what) {
        meant = call;
        event = what;
    }

    private void came(String call) {
        if (meant.isEmpty() || !call.startsWith(meant)) {
            return;
        }
        meant = "";
        try {
            event.happen();
        } catch (Exception e) {
            throw new AssertionError("what was to happen did not", e);
        }
    }

    @Override
    public TierKind kind() {
        return real.kind();
    }

    @Override
    public String location() {
        return real.location();
    }

    @Override
    public boolean put(BlobKey key, MemorySegment content, IfThere ifThere) throws TierException {
        boolean fresh = real.put(key, content, ifThere);
        came("put " + key);
        return fresh;
    }

    @Override
    public Optional<BlobInfo> find(BlobKey key) throws TierException {
        Optional<BlobInfo> found = real.find(key);
        came("find " + key);
        return found;
    }

    @Override
    public void read(BlobKey key, long wholeBytes, long offset, MemorySegment target) throws TierException {
        real.read(key, wholeBytes, offset, target);
        came("read " + key);
    }

    @Override
    public List<BlobInfo> list(BlobKey.Folder folder, String nameStart) throws TierException {
        List<BlobInfo> found = real.list(folder, nameStart);
        came("list " + folder.prefix());
        return found;
    }

    @Override
    public List<BlobInfo> listAfter(BlobKey.Folder folder, String after, int most) throws TierException {
        List<BlobInfo> found = real.listAfter(folder, after, most);
        came("list " + folder.prefix());
        return found;
    }

    @Override
    public List<BlobKey> names(BlobKey.Folder folder) throws TierException {
        List<BlobKey> found = real.names(folder);
        came("list " + folder.prefix());
        return found;
    }

    @Override
    public boolean delete(BlobKey key) throws TierException {
        boolean there = real.delete(key);
        came("delete " + key);
        return there;
    }

    @Override
    public int removeUnfinished(Duration olderThan) throws TierException {
        return real.removeUnfinished(olderThan);
    }

    @Override
    public TierUsage usage() throws TierException {
        return real.usage();
    }

    @Override
    public Optional<String> trouble() {
        return real.trouble();
    }

    @Override
    public void close() {
        real.close();
    }
}
