package io.gpusnap.service.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Several who work on one database at the same time, and of whom one goes on at a time: to its next stop, or to where the database has it wait
 * for another one. A seed says who. So the same seed has them come in the same order, with their transactions in the middle of each other.
 */
public final class Turns {

    private static final long MOST_NANOS = 60_000_000_000L;

    /** What one of them does. */
    @FunctionalInterface
    public interface Play {
        void run(Player me) throws Exception;
    }

    private enum State {
        STOPPED,
        GOING,
        DONE
    }

    /** Ends those who are left when one has failed. */
    private static final class Over extends RuntimeException {}

    /** One of them. */
    public final class Player {
        private final String name;
        private State state = State.GOING;
        private String where = "";
        private int backend;

        Player(String name) {
            this.name = name;
        }

        /** Waits for its turn. */
        public void stop(String before) {
            synchronized (Turns.this) {
                where = before;
                state = State.STOPPED;
                Turns.this.notifyAll();
                while (state == State.STOPPED && !over) {
                    await(0);
                }
                if (over) {
                    throw new Over();
                }
            }
        }

        /** In a transaction of its own, which stops before its end. What it does to the database it does here, or where nothing can hold it up. */
        public <T> T inTransaction(Supplier<T> work) {
            try {
                return transaction.execute(status -> {
                    worksThrough(jdbc.sql("SELECT pg_backend_pid()")
                            .query(Integer.class)
                            .single());
                    T result = work.get();
                    stop("commit");
                    return result;
                });
            } finally {
                worksThrough(0);
            }
        }

        private void worksThrough(int pid) {
            synchronized (Turns.this) {
                backend = pid;
            }
        }

        private void end() {
            synchronized (Turns.this) {
                state = State.DONE;
                Turns.this.notifyAll();
            }
        }
    }

    private final Random random;
    private final JdbcClient jdbc;
    private final TransactionTemplate transaction;
    private final List<Player> players = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final List<Throwable> failures = new ArrayList<>();
    private final List<String> order = new ArrayList<>();
    private boolean over;

    public Turns(long seed, JdbcClient jdbc, TransactionTemplate transaction) {
        this.random = new Random(seed);
        this.jdbc = jdbc;
        this.transaction = transaction;
    }

    public void add(String name, Play play) {
        Player player = new Player(name);
        players.add(player);
        threads.add(Thread.ofVirtual().unstarted(() -> {
            try {
                player.stop("begin");
                play.run(player);
            } catch (Over e) {
                // somebody else has failed
            } catch (Exception | AssertionError e) {
                fail(e);
            } finally {
                player.end();
            }
        }));
    }

    private synchronized void fail(Throwable failure) {
        failures.add(failure);
    }

    /** Who went on from where, in this order. */
    public List<String> order() {
        return List.copyOf(order);
    }

    /** @param check that holds whenever nobody is going on */
    public void play(Runnable check) throws InterruptedException {
        threads.forEach(Thread::start);
        try {
            while (goOn(check)) {
                // until all have come to their end
            }
        } finally {
            synchronized (this) {
                over = true;
                notifyAll();
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }

    private boolean goOn(Runnable check) {
        awaitQuiet();
        check.run();
        synchronized (this) {
            if (!failures.isEmpty()) {
                throw new AssertionError(failures.getFirst().getMessage() + " after " + order, failures.getFirst());
            }
            List<Player> ready =
                    players.stream().filter(one -> one.state == State.STOPPED).toList();
            if (ready.isEmpty()) {
                if (players.stream().anyMatch(one -> one.state == State.GOING)) {
                    throw new AssertionError("each waits for another one, after " + order);
                }
                return false;
            }
            Player next = ready.get(random.nextInt(ready.size()));
            order.add(next.name + " " + next.where);
            next.state = State.GOING;
            notifyAll();
            return true;
        }
    }

    /** Until each is at a stop, at its end, or waits for a lock that one of the others has. */
    private void awaitQuiet() {
        long start = System.nanoTime();
        while (System.nanoTime() - start < MOST_NANOS) {
            List<Integer> going;
            synchronized (this) {
                if (players.stream().anyMatch(one -> one.state == State.GOING)) {
                    await(1);
                }
                going = players.stream()
                        .filter(one -> one.state == State.GOING)
                        .map(one -> one.backend)
                        .toList();
            }
            if (going.isEmpty() || !going.contains(0) && allWait(going)) {
                return;
            }
        }
        throw new AssertionError("somebody never comes to a stop, after " + order);
    }

    private boolean allWait(List<Integer> backends) {
        return jdbc.sql("SELECT bool_and(cardinality(pg_blocking_pids(pid)) > 0) FROM unnest(:pids::int[]) AS p (pid)")
                .param("pids", backends.toArray(Integer[]::new))
                .query(Boolean.class)
                .single();
    }

    private void await(long millis) {
        try {
            wait(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts a play", e);
        }
    }
}
