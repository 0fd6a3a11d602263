package io.gpusnap.node.tier;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryTierTest extends ChunkTierContract {

    private static final int SLOTS = 16;
    private static final UUID OWNER = new UUID(1, 2);

    @TempDir
    Path folder;

    @Override
    protected ChunkTier open() throws Exception {
        return open(SLOTS);
    }

    @Override
    protected ChunkTier open(Middle middle) throws Exception {
        return MemoryTier.open(folder.resolve("pool"), map(folder, SLOTS), (content, slot) -> {
            long half = content.byteSize() / 2;
            slot.copyFrom(content.asSlice(0, half));
            try {
                middle.reached();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            slot.asSlice(half).copyFrom(content.asSlice(half));
        });
    }

    @Override
    protected ChunkTier afterAKill() throws Exception {
        Path killed = Files.createTempDirectory(folder, "killed");
        for (String file : List.of("pool", "pool.index")) {
            Files.copy(folder.resolve(file), killed.resolve(file));
        }
        MemoryTier next = MemoryTier.open(killed.resolve("pool"), map(killed, SLOTS));
        next.retainOwners(Set.of()); // as every daemon does: no operation of before had this slot
        return next;
    }

    @Override
    protected void assertHoldsNothing() throws Exception {
        assertThat(open(SLOTS).usage().freeBytes()).isEqualTo((long) SLOTS * Slot.BYTES);
    }

    private MemoryTier open(int slots) throws Exception {
        return MemoryTier.open(folder.resolve("pool"), map(folder, slots));
    }

    private static MemorySegment map(Path folder, int slots) throws Exception {
        try (FileChannel channel = FileChannel.open(
                folder.resolve("pool"), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return channel.map(FileChannel.MapMode.READ_WRITE, 0, (long) slots * Slot.BYTES, Arena.ofAuto());
        }
    }

    @Test
    void aLookTellsWhatIsInThePoolAndChangesNothing() throws Exception {
        // given
        MemoryTier tier = open(SLOTS);
        put(tier, 1);
        tier.claim(OWNER, 2);
        byte[] before = Files.readAllBytes(folder.resolve("pool.index"));
        // when
        MemoryTier look = MemoryTier.look(folder.resolve("pool"), (long) SLOTS * Slot.BYTES);
        MemoryTier.look(folder.resolve("pool"), Slot.BYTES);
        // then
        assertThat(look.contains(digest(1), 1000)).isTrue();
        assertThat(look.claimable()).isEqualTo(SLOTS - 2);
        assertThat(look.usage()).isEqualTo(tier.usage());
        assertThat(Files.readAllBytes(folder.resolve("pool.index"))).isEqualTo(before);
    }

    @Test
    void aLookWhereThereIsNoPoolMakesNone() throws Exception {
        MemoryTier look = MemoryTier.look(folder.resolve("none"), (long) SLOTS * Slot.BYTES);

        assertThat(look.usage().capacityBytes()).isEqualTo((long) SLOTS * Slot.BYTES);
        assertThat(look.usage().freeBytes()).isEqualTo((long) SLOTS * Slot.BYTES);
        assertThat(folder.resolve("none")).doesNotExist();
        assertThat(folder.resolve("none.index")).doesNotExist();
    }

    @Test
    void theLeastRecentlyUsedCopyMakesRoom() throws Exception {
        // given a full pool whose oldest copy was used again
        MemoryTier tier = open(SLOTS);
        for (int i = 0; i < SLOTS; i++) {
            put(tier, i);
        }
        tier.lease(digest(0), 1000).orElseThrow().close();
        // when
        put(tier, 100);
        // then
        assertThat(tier.list()).hasSize(SLOTS).contains(digest(0), digest(100)).doesNotContain(digest(1));
    }

    @Test
    void leasedAndOwnedSlotsNeverMakeRoom() throws Exception {
        // given
        MemoryTier tier = open(SLOTS);
        put(tier, 1);
        Lease lease = tier.lease(digest(1), 1000).orElseThrow();
        List<Slot> owned = tier.claim(OWNER, 100);
        // when, then
        assertThat(owned).hasSize(SLOTS - 1);
        assertThat(tier.claimable()).isZero();
        assertReason(Reason.NO_SPACE, () -> put(tier, 2));
        assertThat(lease.content().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(random(1000, 1));

        // when both are given back
        lease.close();
        lease.close();
        tier.finish(OWNER);
        // then
        assertThat(tier.claimable()).isEqualTo(SLOTS);
    }

    @Test
    void aClaimOfEmptySlotsLeavesEveryCopyWhereItIs() throws Exception {
        // given
        MemoryTier tier = open(SLOTS);
        put(tier, 1);
        put(tier, 2);
        // when
        List<Slot> owned = tier.claimEmpty(OWNER, 100);
        // then
        assertThat(owned).hasSize(SLOTS - 2);
        assertThat(tier.list()).containsExactlyInAnyOrder(digest(1), digest(2));
        assertThat(tier.claimEmpty(OWNER, 1)).isEmpty();
        assertThat(tier.claim(OWNER, 1)).hasSize(1);
    }

    @Test
    void whatIsClaimedTogetherLiesTogether() throws Exception {
        // given slots that became free in another order than they lie
        MemoryTier tier = open(SLOTS);
        List<Slot> taken = tier.claim(OWNER, SLOTS);
        for (int i : List.of(9, 3, 4, 12, 8, 10, 5)) {
            tier.free(taken.get(i));
        }
        // when
        List<Slot> claimed = tier.claim(OWNER, 6);
        // then
        assertThat(claimed).extracting(Slot::index).containsExactly(3, 4, 5, 8, 9, 10);
    }

    @Test
    void ownedSlotsOutliveTheDaemonAndBecomeCopiesWhenSettled() throws Exception {
        // given
        MemoryTier before = open(SLOTS);
        List<Slot> slots = before.claim(OWNER, 3);
        for (Slot slot : slots) {
            slot.first(1000).copyFrom(MemorySegment.ofArray(random(1000, slot.index())));
        }
        // when the daemon is a new one
        MemoryTier after = open(SLOTS);
        // then
        int index = slots.getFirst().index();
        Slot found = after.owned(OWNER, index).orElseThrow();
        assertThat(found.first(1000).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(random(1000, index));
        assertThat(after.owned(new UUID(3, 4), index)).isEmpty();
        assertThat(after.owned(OWNER, -1)).isEmpty();
        assertThat(after.claimable()).isEqualTo(SLOTS - 3);

        // when one is settled, one is zero, one is neither
        after.settle(slots.get(0), ChunkRef.of(digest(index), 1000));
        after.settle(slots.get(1), ChunkRef.zero(Slot.BYTES));
        after.finish(OWNER);
        // then
        assertThat(after.list()).containsExactly(digest(index));
        assertThat(after.claimable()).isEqualTo(SLOTS);
    }

    @Test
    void slotsOfOperationsThatNobodyRemembersAreFreed() throws Exception {
        MemoryTier tier = open(SLOTS);
        tier.claim(OWNER, 2);
        tier.claim(new UUID(5, 6), 3);
        tier.retainOwners(Set.of(OWNER));
        assertThat(tier.claimable()).isEqualTo(SLOTS - 2);
    }

    @Test
    void aCopyOfAnEarlierLifeIsVerifiedBeforeItIsUsed() throws Exception {
        // given two copies, one of which was spoilt while no daemon ran
        MemoryTier before = open(SLOTS);
        put(before, 1);
        put(before, 2);
        Lease spoilt = before.lease(digest(2), 1000).orElseThrow();
        spoilt.content().set(ValueLayout.JAVA_BYTE, 500, (byte)
                (spoilt.content().get(ValueLayout.JAVA_BYTE, 500) + 1));
        // when
        MemoryTier after = open(SLOTS);
        // then
        assertThat(after.lease(digest(1), 1000)).isPresent();
        assertThat(after.lease(digest(2), 1000)).isEmpty();
        assertThat(after.list()).containsExactly(digest(1));
    }

    @Test
    void manyAreLeasedInOneGoAsFarAsTheyAreVerifiedAndLeaveRoom() throws Exception {
        // given copies of an earlier life, one of them used since, and two of this one
        MemoryTier before = open(SLOTS);
        put(before, 1);
        put(before, 2);
        MemoryTier tier = open(SLOTS);
        tier.lease(digest(2), 1000).orElseThrow().close();
        put(tier, 3);
        put(tier, 4);
        List<ChunkRef> wanted = List.of(
                ChunkRef.of(digest(1), 1000),
                ChunkRef.of(digest(2), 1000),
                ChunkRef.zero(1000),
                ChunkRef.of(digest(3), 1000),
                ChunkRef.of(digest(3), 1000),
                ChunkRef.of(digest(4), 999),
                ChunkRef.of(digest(5), 1000));
        // when
        Map<ChunkRef, Lease> leases = tier.leaseVerified(wanted, 0);
        // then
        assertThat(leases.keySet()).containsExactly(wanted.get(1), wanted.get(3));
        assertThat(tier.claimable()).isEqualTo(SLOTS - 2);
        assertThat(leases.get(wanted.get(3)).content().toArray(ValueLayout.JAVA_BYTE))
                .isEqualTo(random(1000, 3));
        leases.values().forEach(Lease::close);
        assertThat(tier.claimable()).isEqualTo(SLOTS);
        // and where others need all slots but one
        assertThat(tier.leaseVerified(wanted, SLOTS - 1).keySet()).containsExactly(wanted.get(1));
        assertThat(tier.leaseVerified(wanted, SLOTS - 1)).isEmpty();
    }

    @Test
    void aCopyThatIsDiscardedWhileLeasedStaysInItsPlaceForItsReader() throws Exception {
        MemoryTier tier = open(SLOTS);
        put(tier, 1);
        Lease lease = tier.lease(digest(1), 1000).orElseThrow();
        // when
        tier.delete(digest(1));
        for (int i = 10; i < 10 + 2 * SLOTS; i++) {
            put(tier, i);
        }
        // then
        assertThat(lease.content().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(random(1000, 1));
        lease.close();
        assertThat(tier.claimable()).isEqualTo(SLOTS);
    }

    @Test
    void publishingAChunkThatIsThereGivesTheCopyThatIsThere() throws Exception {
        MemoryTier tier = open(SLOTS);
        put(tier, 1);
        Slot slot = tier.claim(OWNER, 1).getFirst();
        slot.first(1000).copyFrom(MemorySegment.ofArray(random(1000, 1)));
        // when
        Lease lease = tier.publish(slot, digest(1), 1000);
        // then
        assertThat(lease.content().address()).isNotEqualTo(slot.memory().address());
        assertThat(tier.claimable()).isEqualTo(SLOTS - 1);
    }

    @Test
    void aPoolOfAnotherSizeKeepsTheSlotsThatAreStillThere() throws Exception {
        MemoryTier small = open(4);
        put(small, 1);
        MemoryTier large = open(8);
        assertThat(large.lease(digest(1), 1000)).isPresent();
        assertThat(large.claimable()).isEqualTo(7);
        MemoryTier smallAgain = open(4);
        assertThat(smallAgain.lease(digest(1), 1000)).isPresent();
    }

    @Test
    void anIndexOfNonsenseIsEmptied() throws Exception {
        Files.write(folder.resolve("pool.index"), random(2000, 9));
        MemoryTier tier = open(SLOTS);
        assertThat(tier.list()).isEmpty();
        assertThat(tier.claimable()).isEqualTo(SLOTS);
    }

    private static void put(MemoryTier tier, int seed) throws TierException {
        byte[] content = random(1000, seed);
        tier.put(digestOf(content), MemorySegment.ofArray(content));
    }

    private static ChunkDigest digest(int seed) {
        return digestOf(random(1000, seed));
    }
}
