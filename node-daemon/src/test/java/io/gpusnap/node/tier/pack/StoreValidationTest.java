package io.gpusnap.node.tier.pack;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.TierKind;
import io.gpusnap.node.tier.TierUsage;
import io.gpusnap.node.tier.blob.BlobInfo;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import io.gpusnap.node.tier.pack.StoreValidation.Check;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A store that breaks one of its promises is found out, by the check that is named after it. */
class StoreValidationTest {

    private static final List<String> ALL = List.of(
            "identity",
            "write",
            "read-after-write",
            "first-writer-wins",
            "replace",
            "size-first",
            "atomic-publish",
            "large-object",
            "range-read",
            "list",
            "latency",
            "throughput",
            "clock",
            "free-space",
            "delete");

    @TempDir
    Path root;

    /** What is wrong with a store, and which check says so. */
    private enum Flaw {
        REFUSES_WRITES("write"),
        FORGETS_WHAT_IT_TOOK("read-after-write"),
        LETS_THE_LAST_WRITER_WIN("first-writer-wins"),
        KEEPS_WHAT_IS_TO_BE_REPLACED("replace"),
        TELLS_NO_SIZES("size-first"),
        SHOWS_HALF_AN_OBJECT("atomic-publish"),
        READS_FROM_THE_BEGINNING("range-read"),
        LISTS_LATE("list"),
        HAS_ANOTHER_TIME("clock"),
        IS_FULL("free-space"),
        DELETES_NOTHING("delete");

        private final String check;

        Flaw(String check) {
            this.check = check;
        }
    }

    /** A share that keeps all of its promises but one. */
    private static final class Flawed implements BlobStore {
        private final BlobStore real;
        private final Flaw flaw;
        private final CountDownLatch seen = new CountDownLatch(1);

        private Flawed(BlobStore real, Flaw flaw) {
            this.real = real;
            this.flaw = flaw;
        }

        private boolean has(Flaw one) {
            return flaw == one;
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
            boolean there = real.find(key).isPresent();
            if (has(Flaw.REFUSES_WRITES)) {
                throw new TierException(Reason.IO, "permission denied");
            }
            if (has(Flaw.FORGETS_WHAT_IT_TOOK)) {
                return true;
            }
            if (has(Flaw.LETS_THE_LAST_WRITER_WIN)) {
                return real.put(key, content, IfThere.REPLACE);
            }
            if (has(Flaw.KEEPS_WHAT_IS_TO_BE_REPLACED) && there) {
                return false;
            }
            if (has(Flaw.SHOWS_HALF_AN_OBJECT) && content.byteSize() > 1 << 20 && !there) {
                real.put(key, content.asSlice(0, content.byteSize() / 2), IfThere.REPLACE);
                awaitALook();
                return real.put(key, content, IfThere.REPLACE);
            }
            return real.put(key, content, ifThere);
        }

        private void awaitALook() {
            try {
                seen.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public Optional<BlobInfo> find(BlobKey key) throws TierException {
            Optional<BlobInfo> there = real.find(key);
            there.filter(found -> found.sizeBytes() > 1 << 20).ifPresent(found -> seen.countDown());
            return there.map(found -> has(Flaw.HAS_ANOTHER_TIME)
                    ? new BlobInfo(key, found.sizeBytes(), Instant.now().plus(Duration.ofMinutes(20)))
                    : found);
        }

        @Override
        public void read(BlobKey key, long wholeBytes, long offset, MemorySegment target) throws TierException {
            long whole = has(Flaw.TELLS_NO_SIZES) ? real.find(key).orElseThrow().sizeBytes() : wholeBytes;
            real.read(key, whole, has(Flaw.READS_FROM_THE_BEGINNING) && offset % (1 << 20) != 0 ? 0 : offset, target);
        }

        @Override
        public boolean holds(BlobKey key, MemorySegment content) throws TierException {
            return has(Flaw.TELLS_NO_SIZES) && real.find(key).isPresent() || BlobStore.super.holds(key, content);
        }

        @Override
        public List<BlobInfo> list(BlobKey.Folder folder, String nameStart) throws TierException {
            return has(Flaw.LISTS_LATE) ? List.of() : real.list(folder, nameStart);
        }

        @Override
        public boolean delete(BlobKey key) throws TierException {
            return has(Flaw.DELETES_NOTHING) || real.delete(key);
        }

        @Override
        public int removeUnfinished(Duration olderThan) throws TierException {
            return real.removeUnfinished(olderThan);
        }

        @Override
        public TierUsage usage() throws TierException {
            return has(Flaw.IS_FULL) ? new TierUsage(kind(), location(), 1L << 40, 1L << 20, 0) : real.usage();
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

    private BlobStore share() {
        return new NfsStore(NfsSettings.of(root, Duration.ofSeconds(20)));
    }

    private List<Path> files() throws Exception {
        try (var files = Files.walk(root)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    @Test
    void aStoreThatKeepsItsPromisesPassesEveryCheckAndHasNothingOfItAfterwards() throws Exception {
        try (BlobStore store = share()) {
            List<Check> checks = new StoreValidation(store).run();
            assertThat(checks)
                    .allMatch(Check::passed)
                    .allMatch(check -> check.mend().isEmpty());
            assertThat(checks).extracting(Check::name).containsExactlyElementsOf(ALL);
            assertThat(figures(checks, "latency")).containsOnlyKeys("writeMedianSeconds", "readMedianSeconds");
            assertThat(figures(checks, "throughput")).containsOnlyKeys("writeBytesPerSecond", "readBytesPerSecond");
            assertThat(figures(checks, "clock")).containsKey("skewSeconds");
            assertThat(figures(checks, "free-space")).containsKey("freeBytes");
        }
        assertThat(files()).isEmpty();
    }

    private static java.util.Map<String, Double> figures(List<Check> checks, String name) {
        return checks.stream()
                .filter(check -> check.name().equals(name))
                .findFirst()
                .orElseThrow()
                .figures();
    }

    @ParameterizedTest
    @EnumSource(Flaw.class)
    void aBrokenPromiseIsFoundOut(Flaw flaw) throws Exception {
        try (BlobStore real = share()) {
            List<Check> checks = new StoreValidation(new Flawed(real, flaw)).run();
            Check failed =
                    checks.stream().filter(check -> !check.passed()).findFirst().orElseThrow();
            assertThat(failed.name()).isEqualTo(flaw.check);
            assertThat(failed.mend()).isNotBlank();
        }
        // then nothing is left, where the store deletes; where it does not, that is said
        if (flaw == Flaw.DELETES_NOTHING) {
            assertThat(files()).isNotEmpty();
        } else {
            assertThat(files()).isEmpty();
        }
    }

    @Test
    void whatCouldNotBeDeletedIsNamed() {
        try (BlobStore real = share()) {
            Check last = new StoreValidation(new Flawed(real, Flaw.DELETES_NOTHING))
                    .run()
                    .getLast();
            assertThat(last.name()).isEqualTo("clean-up");
            assertThat(last.passed()).isFalse();
            assertThat(last.detail()).contains("probe/");
        }
    }
}
