package io.gpusnap.node.tier.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore.IfThere;
import io.gpusnap.node.tier.s3.FaultProxy.Fault;
import io.gpusnap.node.tier.s3.FaultProxy.Seen;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an S3 store may do to us, by a proxy in front of a real one. */
class S3FaultsTest {

    private static final BlobKey PACK = BlobKey.pack(new ChunkDigest("ab".repeat(32)));
    private static final BlobKey OTHER = BlobKey.pack(new ChunkDigest("cd".repeat(32)));
    private static final int PART_BYTES = 5 << 20;
    private static final int SIZE_BYTES = 3 * PART_BYTES + 100;

    private final byte[] content = random(SIZE_BYTES);
    private FaultProxy proxy;
    private S3Store store;
    private String bucket;

    @BeforeEach
    void startProxy() throws Exception {
        S3Server server = S3Server.shared();
        bucket = server.bucket();
        proxy = new FaultProxy(server.endpoint());
        store = new S3Store(settings(Duration.ofSeconds(20)));
    }

    @AfterEach
    void stopProxy() {
        proxy.close();
        store.close();
    }

    private S3Settings settings(Duration deadline) {
        S3Settings plain = S3Server.settings(bucket, proxy.endpoint());
        return new S3Settings(
                plain.bucket(),
                "some/prefix/",
                plain.endpoint(),
                plain.region(),
                plain.addresses(),
                plain.credentials(),
                true,
                plain.checksums(),
                plain.encryption(),
                PART_BYTES,
                8,
                deadline,
                4);
    }

    /** The first so many of the requests that match. */
    private static Function<Seen, Fault> first(int count, Predicate<Seen> which, Fault fault) {
        AtomicInteger left = new AtomicInteger(count);
        return seen -> which.test(seen) && left.getAndDecrement() > 0 ? fault : new Fault.None();
    }

    private boolean put() throws TierException {
        return store.put(PACK, MemorySegment.ofArray(content), IfThere.KEEP);
    }

    private byte[] read() throws TierException {
        byte[] found = new byte[SIZE_BYTES];
        store.read(PACK, SIZE_BYTES, 0, MemorySegment.ofArray(found));
        return found;
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 503, 429})
    void aBurstOfErrorsPassesAndIsNotTriedForEver(int status) throws Exception {
        // when every kind of request is turned away twice
        proxy.spoil(first(2, seen -> true, new Fault.Status(status)));
        assertThat(put()).isTrue();
        proxy.spoil(first(2, seen -> true, new Fault.Status(status)));
        assertThat(read()).isEqualTo(content);
        assertThat(store.trouble()).isEmpty();

        // when it does not end
        proxy.spoil(seen -> new Fault.Status(status));
        int before = proxy.seen().size();
        assertReason(Reason.UNAVAILABLE, () -> store.find(PACK));
        // then it was tried as often as allowed, and the tier is in trouble until it answers
        assertThat(proxy.seen().size() - before).isEqualTo(4);
        assertThat(store.trouble()).isPresent();
        proxy.spoil(seen -> new Fault.None());
        assertThat(store.find(PACK)).isPresent();
        assertThat(store.trouble()).isEmpty();
    }

    @Test
    void theWaitBeforeEachNewAttemptIsDrawnFromTheWholeOfASpanThatDoubles() throws Exception {
        // given
        List<Long> spans = new ArrayList<>();
        List<Long> drawn = new ArrayList<>();
        List<Long> waited = new ArrayList<>();
        Random source = new Random(7);
        RandomGenerator random = new RandomGenerator() {
            @Override
            public long nextLong() {
                throw new IllegalStateException("a wait has a bound");
            }

            @Override
            public long nextLong(long bound) {
                spans.add(bound);
                drawn.add(source.nextLong(bound));
                return drawn.getLast();
            }
        };
        S3Settings patient =
                S3Server.asking(settings(Duration.ofSeconds(20)), PART_BYTES, 8, Duration.ofSeconds(20), 9);
        try (S3Store asking =
                new S3Store(patient, Clients.of(patient), new Attempts.Waits(() -> random, waited::add))) {
            // when
            proxy.spoil(seen -> new Fault.Status(503));
            assertReason(Reason.UNAVAILABLE, () -> asking.find(PACK));
        }
        // then
        assertThat(spans).containsExactly(100L, 200L, 400L, 800L, 1600L, 3200L, 5000L, 5000L);
        assertThat(waited).isEqualTo(drawn);
    }

    @Test
    void storesThatAreTurnedAwayTogetherDoNotReturnTogether() throws Exception {
        S3Settings patient = settings(Duration.ofSeconds(20));
        Set<List<Long>> waits = new HashSet<>();
        proxy.spoil(seen -> new Fault.Status(429));
        for (int daemon = 0; daemon < 5; daemon++) {
            List<Long> waited = new ArrayList<>();
            Attempts.Waits own = new Attempts.Waits(Attempts.Waits.REAL.random(), waited::add);
            try (S3Store asking = new S3Store(patient, Clients.of(patient), own)) {
                assertReason(Reason.UNAVAILABLE, () -> asking.find(PACK));
            }
            assertThat(waited).hasSize(3);
            waits.add(waited);
        }
        // then; that two of them draw the same three by chance is one in a million
        assertThat(waits).hasSize(5);
    }

    @Test
    void aBodyThatStallsEndsAtItsDeadlineAndGoesOnElsewhereInIt() throws Exception {
        put();
        try (S3Store hasty = new S3Store(settings(Duration.ofMillis(1500)))) {
            // when each range stalls once in its middle
            proxy.spoil(first(4, Seen::isGet, new Fault.Stall(1 << 20)));
            byte[] found = new byte[SIZE_BYTES];
            hasty.read(PACK, SIZE_BYTES, 0, MemorySegment.ofArray(found));
            assertThat(found).isEqualTo(content);

            // when all do, for ever
            proxy.spoil(seen -> seen.isGet() ? new Fault.Stall(1000) : new Fault.None());
            assertReason(
                    Reason.UNAVAILABLE,
                    () -> hasty.read(PACK, SIZE_BYTES, 0, MemorySegment.ofArray(new byte[SIZE_BYTES])));
            // then it is known to hang, and whoever can read elsewhere need not wait
            int before = proxy.seen().size();
            for (int i = 0; i < 100; i++) {
                assertReason(Reason.UNAVAILABLE, () -> hasty.read(PACK, SIZE_BYTES, 0, MemorySegment.ofArray(found)));
            }
            assertThat(hasty.trouble()).isPresent();
            assertThat(proxy.seen().size() - before).isLessThan(100);
            // and no thread and no connection is left behind
            proxy.spoil(seen -> new Fault.None());
            Awaitility.await().ignoreExceptions().until(() -> hasty.find(PACK).isPresent());
            assertThat(hasty.trouble()).isEmpty();
            for (int i = 0; i < 20; i++) {
                hasty.read(PACK, SIZE_BYTES, 0, MemorySegment.ofArray(found));
            }
        }
    }

    /** What is asked of a store that then says nothing, or nothing more. */
    enum Asked {
        LOOK_UP(seen -> seen.method().equals("HEAD"), new Fault.Silence(), test -> test.store.find(PACK)),
        LIST(
                seen -> seen.query().contains("list-type"),
                new Fault.Silence(),
                test -> test.store.list(BlobKey.Folder.PACKS, "")),
        SMALL(Seen::isGet, new Fault.Stall(1000), test -> test.store.readAll(PACK, SIZE_BYTES)),
        RANGES(Seen::isGet, new Fault.Stall(1000), S3FaultsTest::read),
        PARTS(
                Seen::isPart,
                new Fault.Silence(),
                test -> test.store.put(OTHER, MemorySegment.ofArray(test.content), IfThere.KEEP));

        private final Predicate<Seen> which;
        private final Fault fault;
        private final Call call;

        Asked(Predicate<Seen> which, Fault fault, Call call) {
            this.which = which;
            this.fault = fault;
            this.call = call;
        }

        private interface Call {
            void of(S3FaultsTest test) throws TierException;
        }
    }

    @ParameterizedTest
    @EnumSource
    void anInterruptEndsWhatWaitsForAStoreThatSaysNothing(Asked asked) throws Exception {
        // given a store that nobody waits for in vain for an hour
        put();
        store.close();
        store = new S3Store(settings(Duration.ofHours(1)));
        CountDownLatch arrived = new CountDownLatch(1);
        proxy.spoil(seen -> {
            if (!asked.which.test(seen)) {
                return new Fault.None();
            }
            arrived.countDown();
            return asked.fault;
        });
        AtomicReference<Throwable> failure = new AtomicReference<>();
        AtomicBoolean stillInterrupted = new AtomicBoolean();
        Thread caller = Thread.ofPlatform().start(() -> {
            try {
                asked.call.of(this);
            } catch (Throwable e) {
                failure.set(e);
                stillInterrupted.set(Thread.currentThread().isInterrupted());
            }
        });
        arrived.await();
        // when
        caller.interrupt();
        boolean ended = caller.join(Duration.ofMinutes(1));
        // then it ends, and nobody takes the store for one in trouble
        assertThat(ended).isTrue();
        assertThat(failure.get())
                .isInstanceOfSatisfying(
                        TierException.class, e -> assertThat(e.reason()).isEqualTo(Reason.UNAVAILABLE));
        assertThat(stillInterrupted).isTrue();
        assertThat(store.trouble()).isEmpty();
        // and all its connections are there for others
        proxy.spoil(seen -> new Fault.None());
        for (int i = 0; i < 20; i++) {
            assertThat(read()).isEqualTo(content);
        }
        assertThat(store.put(OTHER, MemorySegment.ofArray(content), IfThere.KEEP))
                .isTrue();
    }

    @Test
    void aBodyThatBreaksOffIsGoneOnWithFromWhereItEnded() throws Exception {
        put();
        int before = proxy.seen().size();
        proxy.spoil(first(4, Seen::isGet, new Fault.Truncate(1 << 20)));
        assertThat(read()).isEqualTo(content);
        // then each that was cut off was asked for again from where it had ended, to the same end
        Map<String, TreeSet<Long>> starts = new HashMap<>();
        for (Seen seen : proxy.seen().subList(before, proxy.seen().size())) {
            String[] range = seen.range().replace("bytes=", "").split("-", -1);
            assertThat(starts.computeIfAbsent(range[1], any -> new TreeSet<>()).add(Long.parseLong(range[0])))
                    .as("asked for the same twice: %s", seen)
                    .isTrue();
        }
        assertThat(starts).hasSize(4);
        assertThat(starts.values().stream().mapToInt(Set::size).sum()).isGreaterThanOrEqualTo(7);
        for (TreeSet<Long> one : starts.values()) {
            long from = one.first();
            for (long again : one.tailSet(from, false)) {
                assertThat(again).isBetween(from + 1, from + (1 << 20));
                from = again;
            }
        }
    }

    @Test
    void anAnswerThatIsNotTheRangeIsRefusedWholly() throws Exception {
        put();
        byte[] target = new byte[100];
        for (Fault fault : List.of(new Fault.OtherRange(), new Fault.WholeObject(), new Fault.ErrorBody())) {
            // when it comes once
            proxy.spoil(first(1, Seen::isGet, fault));
            assertThat(read()).as(fault.toString()).isEqualTo(content);
            // when it always comes
            proxy.spoil(seen -> seen.isGet() ? fault : new Fault.None());
            assertThatExceptionOfType(TierException.class)
                    .as(fault.toString())
                    .isThrownBy(() -> store.read(PACK, SIZE_BYTES, 7, MemorySegment.ofArray(target)));
            assertThat(target).containsOnly(0);
        }
    }

    @Test
    void whatTheStoreGivesBackWronglyIsNotProven() throws Exception {
        put();
        proxy.spoil(seen -> seen.isGet() ? new Fault.FlipBit() : new Fault.None());
        assertThat(store.holds(PACK, MemorySegment.ofArray(content))).isFalse();
        proxy.spoil(seen -> new Fault.None());
        assertThat(store.holds(PACK, MemorySegment.ofArray(content))).isTrue();
    }

    @Test
    void aCompletionWhoseAnswerIsLostIsASuccess() throws Exception {
        proxy.spoil(first(1, Seen::isComplete, new Fault.LoseAnswer()));
        assertThat(put()).isTrue();
        assertThat(read()).isEqualTo(content);
        assertThat(store.removeUnfinished(Duration.ZERO)).isZero();
    }

    @Test
    void aCompletionThatSaysOkAndMeansAnErrorIsTriedAgain() throws Exception {
        proxy.spoil(first(1, Seen::isComplete, new Fault.ErrorBody()));
        assertThat(put()).isTrue();
        assertThat(read()).isEqualTo(content);
    }

    @Test
    void anUploadThatWasCutOffIsGoneOnWithAndItsPartsAreNotSentAgain() throws Exception {
        // given an upload that gets two parts there and no further
        proxy.spoil(seen -> seen.isPart()
                        && (seen.query().contains("partNumber=3")
                                || seen.query().contains("partNumber=4"))
                ? new Fault.Status(503)
                : new Fault.None());
        assertReason(Reason.UNAVAILABLE, this::put);
        assertThat(store.find(PACK)).isEmpty();
        // when another daemon goes on with it
        proxy.spoil(seen -> new Fault.None());
        int before = proxy.seen().size();
        store.close();
        store = new S3Store(settings(Duration.ofSeconds(20)));
        assertThat(put()).isTrue();
        // then only what was lacking was sent
        assertThat(proxy.seen().subList(before, proxy.seen().size()).stream().filter(Seen::isPart))
                .as(proxy.seen().toString())
                .hasSizeLessThanOrEqualTo(3)
                .noneMatch(seen -> seen.query().contains("partNumber=1"));
        assertThat(read()).isEqualTo(content);
    }

    @Test
    void anUploadThatNobodyGoesOnWithIsAbortedByItsAge() throws Exception {
        proxy.spoil(seen -> seen.isPart() ? new Fault.Status(503) : new Fault.None());
        assertReason(Reason.UNAVAILABLE, this::put);
        proxy.spoil(seen -> new Fault.None());
        assertThat(store.removeUnfinished(Duration.ofHours(1))).isZero();
        // The store tells its own time to the second.
        Awaitility.await()
                .untilAsserted(
                        () -> assertThat(store.removeUnfinished(Duration.ZERO)).isEqualTo(1));
        assertThat(store.removeUnfinished(Duration.ZERO)).isZero();
    }

    @Test
    void aStoreWithoutConditionalWritesIsLookedAtBeforeEachInstead() throws Exception {
        // given one that does not know what the header means
        proxy.spoil(seen -> seen.conditional() ? new Fault.Status(501) : new Fault.None());
        BlobKey index = BlobKey.index(new ChunkDigest("cd".repeat(32)));
        // when, then in one piece and in parts
        for (BlobKey key : List.of(index, PACK)) {
            byte[] first = key.equals(PACK) ? content : random(100);
            assertThat(store.put(key, MemorySegment.ofArray(first), IfThere.KEEP))
                    .isTrue();
            assertThat(store.put(key, MemorySegment.ofArray(random(7)), IfThere.KEEP))
                    .isFalse();
            assertThat(store.holds(key, MemorySegment.ofArray(first))).isTrue();
        }
        assertThat(proxy.seen().stream().filter(Seen::conditional)).hasSize(1);
        assertThat(store.trouble()).isEmpty();
        assertThat(store.removeUnfinished(Duration.ZERO)).isZero();
    }

    @Test
    void aRedirectIsNotFollowed() throws Exception {
        put();
        try (FaultProxy elsewhere = new FaultProxy(proxy.endpoint())) {
            for (String to : List.of("http://169.254.169.254/latest/meta-data/", elsewhere.endpoint() + "/x")) {
                proxy.spoil(seen -> new Fault.Redirect(to));
                assertThatExceptionOfType(TierException.class).isThrownBy(this::read);
                assertThatExceptionOfType(TierException.class).isThrownBy(() -> store.find(PACK));
            }
            assertThat(elsewhere.seen()).isEmpty();
        }
    }

    @Test
    void aNameThatComesToStandForAForbiddenAddressIsNotConnectedTo() throws Exception {
        // given a store whose name is good at first, and then the metadata service's
        AtomicInteger lookups = new AtomicInteger();
        S3Settings plain = settings(Duration.ofSeconds(5));
        S3Settings named = S3Settings.of(
                bucket,
                java.net.URI.create("http://store.test:" + proxy.endpoint().getPort()),
                plain.addresses(),
                plain.credentials().orElseThrow());
        CheckedNames.Lookup rebinding = host -> new InetAddress[] {
            InetAddress.getByName(lookups.getAndIncrement() == 0 ? "127.0.0.1" : "169.254.169.254")
        };
        try (S3Store rebound = new S3Store(named, Clients.of(named, rebinding))) {
            assertThat(rebound.find(PACK)).isEmpty();
            // when the connection that was checked is gone
            proxy.close();
            // then
            assertThatExceptionOfType(TierException.class)
                    .isThrownBy(() -> rebound.find(PACK))
                    .satisfies(e -> assertThat(e.getMessage()).contains("169.254.169.254"));
        }
    }

    @Test
    void wrongCredentialsOrAMissingBucketAreToldAtOnce() throws Exception {
        proxy.spoil(seen -> new Fault.Status(403));
        int before = proxy.seen().size();
        assertReason(Reason.IO, () -> store.find(PACK));
        assertThat(proxy.seen().size() - before).isEqualTo(1);
    }

    private static void assertReason(Reason reason, ThrowingCallable call) {
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.reason()).as(e.getMessage()).isEqualTo(reason));
    }

    private static byte[] random(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }
}
