package io.gpusnap.node.peer;

import io.gpusnap.node.operation.LogKeys;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.peer.Flights.Stage;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.Nearby;
import io.gpusnap.node.snapshot.ReadBytes;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.SharedReader;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One operation's bringing of one snapshot. What a stretch's home has comes from there; this node's own share it reads from the
 * store, unless somebody who began earlier has it. Who takes part is asked now and then, on a thread of its own.
 */
final class Gathering implements Nearby, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Gathering.class);

    /** How long the first answer is waited for: nobody nearby costs less than that. */
    private static final Duration FIRST_ANSWER = Duration.ofSeconds(2);
    /** Others begin about now, too: the first questions follow each other soon. */
    private static final Duration FIRST_REFRESH = Duration.ofMillis(200);

    private final FanOut node;
    private final OperationId operation;
    private final SnapshotId snapshot;
    private final ReadBytes bytes;
    private final Standing standing = new Standing(System::nanoTime);
    private final CountDownLatch answered = new CountDownLatch(1);
    private final Optional<Thread> asking;
    private final ConcurrentLinkedQueue<SharedReader> readers = new ConcurrentLinkedQueue<>();
    private volatile boolean closed;
    private volatile View view = View.ALONE;

    /** @param directory empty: nobody but this node's own operations */
    Gathering(
            FanOut node,
            OperationId operation,
            SnapshotId snapshot,
            ReadBytes bytes,
            Optional<PeerDirectory> directory) {
        this.node = node;
        this.operation = operation;
        this.snapshot = snapshot;
        this.bytes = bytes;
        if (directory.isEmpty()) {
            answered.countDown();
        }
        this.asking = directory.map(
                known -> Thread.ofVirtual().name("peers-" + operation).start(() -> keepAsking(known)));
    }

    private void keepAsking(PeerDirectory directory) {
        try {
            for (Duration pause = FIRST_REFRESH; ; pause = pause.multipliedBy(2)) {
                Optional<PeerDirectory.Listing> listing = directory.look(operation);
                listing.ifPresent(this::learned);
                answered.countDown();
                Duration longest = listing.map(PeerDirectory.Listing::refresh).orElse(FIRST_ANSWER);
                pause = pause.compareTo(longest) < 0 ? pause : longest;
                Thread.sleep(pause);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            LOG.error("who else brings back snapshot {} is not known", snapshot, e);
        } finally {
            answered.countDown();
        }
    }

    private void learned(PeerDirectory.Listing listing) {
        view = new View(listing.self(), listing.since(), listing.peers());
    }

    /** Without those that are asked no more. */
    private View now() throws InterruptedException {
        answered.await(FIRST_ANSWER.toMillis(), TimeUnit.MILLISECONDS);
        View known = view;
        return new View(
                known.self(),
                known.since(),
                known.peers().stream().filter(peer -> !standing.isOut(peer)).toList());
    }

    @Override
    public int order(String window) {
        try {
            answered.await(FIRST_ANSWER.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // whoever reads next ends
        }
        View known = view;
        if (!known.shared() || known.home(window).isEmpty()) {
            return 0;
        }
        // Not the same one first as everybody else.
        return 1 + (int) (Homes.score(known.self(), window) >>> 34);
    }

    @Override
    public Turn turn(List<ChunkRef> chunks, String window, Target target) throws TierException, InterruptedException {
        View known = now();
        Optional<Peer> home = known.home(window);
        FlightTurn turn = begin(
                chunks,
                target,
                bytes,
                known.shared() && home.isEmpty(),
                home.isPresent() ? Stage.AT_HOME : Stage.AROUND,
                Stage.AT_HOME);
        boolean begun = false;
        try {
            if (home.isPresent()) {
                ask(home.get(), Mode.FETCH, turn);
                // The home of those that cannot reach it either, if it is not this node.
                Optional<Peer> next = turn.left().isEmpty() ? Optional.empty() : now().home(window);
                if (next.isPresent() && !next.equals(home)) {
                    ask(next.get(), Mode.FETCH, turn);
                }
            }
            askAround(known, window, turn);
            begun = true;
            return turn;
        } finally {
            if (!begun) {
                turn.close();
            }
        }
    }

    private FlightTurn begin(
            List<ChunkRef> chunks, Target target, ReadBytes counted, boolean keeps, Stage begins, Stage waitsFor)
            throws TierException, InterruptedException {
        return new FlightTurn(
                node.flights(),
                node.recent(),
                counted,
                keeps,
                begins,
                waitsFor,
                node.settings().timeout(),
                chunks,
                target);
    }

    private void askAround(View known, String window, FlightTurn turn) throws TierException, InterruptedException {
        turn.reach(Stage.AROUND);
        for (Peer peer : known.mayHave(window)) {
            ask(peer, Mode.IF_HERE, turn);
        }
        turn.reach(Stage.STORE);
    }

    private void ask(Peer peer, Mode mode, FlightTurn turn) throws TierException, InterruptedException {
        List<ChunkRef> wanted = turn.left();
        if (wanted.isEmpty() || standing.isOut(peer) || standing.rests(peer)) {
            return;
        }
        try {
            node.client().ask(peer, snapshot, mode, wanted, turn);
        } catch (PeerException e) {
            standing.failed(peer, e.failure());
            node.counts().failed(e.failure());
            LOG.atWarn()
                    .addKeyValue(LogKeys.OPERATION, operation)
                    .addKeyValue("peer", peer.nodeId())
                    .addKeyValue("failure", e.failure())
                    .addKeyValue(LogKeys.REASON, e.getMessage())
                    .log("a peer did not bring chunks; they come from elsewhere");
        }
    }

    /**
     * For another node: they are read here, whoever is their home in this node's eyes, and are among the recent ones then.
     *
     * @param stores this node's
     */
    void read(List<ChunkRef> chunks, ChunkSources stores, Target target) throws TierException, InterruptedException {
        SharedReader free = readers.poll();
        SharedReader reader = free == null ? new SharedReader(stores.with(new ForOthers())) : free;
        try {
            reader.read(chunks, target);
        } finally {
            readers.add(reader);
            if (closed) {
                closeReaders();
            }
        }
    }

    /** Those that somebody is reading with are closed once they are back. */
    private void closeReaders() {
        for (SharedReader one = readers.poll(); one != null; one = readers.poll()) {
            one.close();
        }
    }

    private final class ForOthers implements Nearby {

        private final ReadBytes notThisOperations = new ReadBytes();

        @Override
        public int order(String window) {
            return 0;
        }

        @Override
        public Turn turn(List<ChunkRef> chunks, String window, Target target)
                throws TierException, InterruptedException {
            FlightTurn turn = begin(chunks, target, notThisOperations, true, Stage.AROUND, Stage.AROUND);
            boolean begun = false;
            try {
                askAround(now(), window, turn);
                begun = true;
                return turn;
            } finally {
                if (!begun) {
                    turn.close();
                }
            }
        }
    }

    /** Others get what is still here for a while. */
    @Override
    public void close() {
        closed = true;
        closeReaders();
        asking.ifPresent(Thread::interrupt);
        node.ended(snapshot, this);
    }
}
