package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * What this node knows of a shared store's chunks. A chunk may be in several packs; places where it was found wrong are not among
 * them. Thread-safe; nothing slow under the lock.
 */
final class Catalogue {

    /** Where a chunk lies. */
    record Place(PackTable.Pack pack, PackEntry entry) {}

    private final Map<ChunkDigest, List<Place>> places = new HashMap<>();
    /** Those whose index was read, or that this node has made. */
    private final Map<ChunkDigest, PackTable.Pack> packs = new HashMap<>();
    /** Chunks by other packs, which only a snapshot's map names: the map of a copy that counts for nothing may name what is gone. */
    private final Map<ChunkDigest, Set<ChunkDigest>> named = new HashMap<>();
    /** Those that are not in the store, or not whole, although their index may be: how many bytes each would have. */
    private final Map<ChunkDigest, Long> lost = new HashMap<>();

    private final Map<ChunkDigest, UUID> copies = new HashMap<>();
    private final Set<List<ChunkDigest>> wrong = new HashSet<>();
    /** Scopes that do not open here, by chunk and pack. */
    private final Map<ChunkDigest, Map<ChunkDigest, String>> foreign = new HashMap<>();

    private final Predicate<String> opens;

    /** @param opens whether chunks of packs with this scope can be read here */
    Catalogue(Predicate<String> opens) {
        this.opens = opens;
    }

    /** @param pack with its id and all of its chunks */
    synchronized void add(PackTable.Pack pack, UUID copy) {
        packs.put(pack.id(), pack);
        named.remove(pack.id());
        copies.put(pack.id(), copy);
        addPlaces(pack);
    }

    /**
     * Its places are looked at before all others from now on: a snapshot keeps the packs that its map names, other packs with the
     * same chunks may be gone at any time. That is for reading: nothing is {@link #shared} of a pack that only maps name.
     *
     * @param pack with its id, and some of its chunks: of a snapshot's map
     */
    synchronized void addPart(PackTable.Pack pack) {
        PackTable.Pack whole = packs.getOrDefault(pack.id(), pack);
        if (!packs.containsKey(pack.id())) {
            Set<ChunkDigest> chunks = named.computeIfAbsent(pack.id(), id -> new HashSet<>());
            pack.entries().forEach(entry -> chunks.add(entry.digest()));
        }
        if (!opens.test(whole.scope())) {
            addPlaces(whole);
            return;
        }
        for (PackEntry entry : pack.entries()) {
            places(pack, entry).ifPresent(known -> {
                known.removeIf(place -> place.pack().id().equals(pack.id()));
                known.addFirst(new Place(whole, entry));
            });
        }
    }

    /** What only another tenant can open is as good as not there: a copy brings a chunk of its own. */
    private void addPlaces(PackTable.Pack pack) {
        if (!opens.test(pack.scope())) {
            pack.entries()
                    .forEach(entry -> foreign.computeIfAbsent(entry.digest(), digest -> new HashMap<>(1))
                            .put(pack.id(), pack.scope()));
            return;
        }
        for (PackEntry entry : pack.entries()) {
            places(pack, entry).ifPresent(known -> addOrReplace(known, new Place(pack, entry)));
        }
    }

    /** What is known of a pack by a map before its index is read stays where the map put it. */
    private static void addOrReplace(List<Place> known, Place fresh) {
        for (int i = 0; i < known.size(); i++) {
            if (known.get(i).pack().id().equals(fresh.pack().id())) {
                known.set(i, fresh);
                return;
            }
        }
        known.add(fresh);
    }

    /** Where the chunk is known to lie; empty when it is wrong in this pack. */
    private Optional<List<Place>> places(PackTable.Pack pack, PackEntry entry) {
        return wrong.contains(List.of(entry.digest(), pack.id()))
                ? Optional.empty()
                : Optional.of(places.computeIfAbsent(entry.digest(), digest -> new ArrayList<>(1)));
    }

    synchronized void remove(ChunkDigest packId) {
        PackTable.Pack pack = packs.remove(packId);
        copies.remove(packId);
        if (pack != null) {
            pack.entries().forEach(entry -> forget(entry.digest(), packId));
        }
        Set<ChunkDigest> chunks = named.remove(packId);
        if (chunks != null) {
            chunks.forEach(chunk -> forget(chunk, packId));
        }
    }

    /** Those that maps name as well. */
    synchronized Set<ChunkDigest> packs() {
        Set<ChunkDigest> all = new HashSet<>(packs.keySet());
        all.addAll(named.keySet());
        return all;
    }

    /** @return whether that is new */
    synchronized boolean wrong(ChunkDigest chunk, ChunkDigest packId) {
        forget(chunk, packId);
        return wrong.add(List.of(chunk, packId));
    }

    /** The pack is not there any more, or not all of it, whoever says that it is: also not its index. */
    synchronized void gone(PackTable.Pack pack) {
        lost.put(pack.id(), pack.sizeBytes());
        remove(pack.id());
        pack.entries().forEach(entry -> forget(entry.digest(), pack.id()));
    }

    /** What is {@link #gone}, and how many bytes each would have. */
    synchronized Map<ChunkDigest, Long> lost() {
        return Map.copyOf(lost);
    }

    /** It is there again, or its index is not any more either. */
    synchronized void isBack(ChunkDigest packId) {
        lost.remove(packId);
    }

    private void forget(ChunkDigest chunk, ChunkDigest packId) {
        List<Place> known = places.get(chunk);
        if (known != null && known.removeIf(place -> place.pack().id().equals(packId)) && known.isEmpty()) {
            places.remove(chunk);
        }
        Map<ChunkDigest, String> strange = foreign.get(chunk);
        if (strange != null && strange.remove(packId) != null && strange.isEmpty()) {
            foreign.remove(chunk);
        }
    }

    synchronized boolean knows(ChunkDigest packId) {
        return packs.containsKey(packId);
    }

    synchronized Optional<Place> find(ChunkDigest chunk) {
        List<Place> known = places.get(chunk);
        return known == null ? Optional.empty() : Optional.of(known.getFirst());
    }

    /**
     * Where a copy that is being made may count on it: in a pack with such a scope whose index the store had when it was last looked
     * through.
     */
    synchronized Optional<Place> shared(ChunkDigest chunk, Predicate<String> scope) {
        return places.getOrDefault(chunk, List.of()).stream()
                .filter(place -> packs.containsKey(place.pack().id())
                        && scope.test(place.pack().scope()))
                .findFirst();
    }

    /** All packs from which {@link #shared} may answer. */
    synchronized List<PackTable.Pack> sharedPacks(ChunkDigest chunk) {
        return places.getOrDefault(chunk, List.of()).stream()
                .map(Place::pack)
                .filter(pack -> packs.containsKey(pack.id()))
                .toList();
    }

    /** What packs take, by their scope; those of others as well. */
    synchronized Map<String, Long> frameBytesByScope() {
        Map<String, Long> bytes = new HashMap<>();
        packs.values().forEach(pack -> bytes.merge(pack.scope(), pack.sizeBytes(), Long::sum));
        return bytes;
    }

    /** Who has the chunk, where nobody has it whom this node could read. */
    synchronized Optional<String> foreign(ChunkDigest chunk) {
        return places.containsKey(chunk)
                ? Optional.empty()
                : foreign.getOrDefault(chunk, Map.of()).values().stream().findFirst();
    }

    /** Of packs whose index was read. */
    synchronized Set<ChunkDigest> chunks() {
        return places.keySet().stream()
                .filter(chunk -> shared(chunk, any -> true).isPresent())
                .collect(Collectors.toSet());
    }

    synchronized long frameBytes() {
        return packs.values().stream().mapToLong(PackTable.Pack::sizeBytes).sum();
    }

    /** Chunks of packs that one copy made. */
    synchronized Set<ChunkDigest> madeBy(UUID copy) {
        Set<ChunkDigest> made = new HashSet<>();
        copies.forEach((id, maker) -> {
            PackTable.Pack pack = packs.get(id);
            if (maker.equals(copy) && pack != null) {
                pack.entries().forEach(entry -> made.add(entry.digest()));
            }
        });
        return made;
    }

    /** Chunks that are known, in as few reads as their places allow. Those that are not known are left out. */
    List<PackRun> runs(Collection<ChunkRef> chunks) {
        List<Place> found = new ArrayList<>();
        for (ChunkRef chunk : chunks) {
            chunk.content()
                    .flatMap(this::find)
                    .filter(place -> place.entry().sizeBytes() == chunk.sizeBytes())
                    .ifPresent(found::add);
        }
        found.sort(Comparator.comparing((Place place) -> place.pack().id().hex())
                .thenComparingLong(place -> place.entry().offset()));
        List<PackRun> runs = new ArrayList<>();
        List<Place> run = new ArrayList<>();
        for (Place place : found) {
            if (!run.isEmpty() && !goesOn(run, place)) {
                runs.add(run(run));
                run.clear();
            }
            run.add(place);
        }
        if (!run.isEmpty()) {
            runs.add(run(run));
        }
        return runs;
    }

    private static boolean goesOn(List<Place> run, Place next) {
        Place last = run.getLast();
        long end = last.entry().offset() + last.entry().frameBytes();
        return last.pack().id().equals(next.pack().id())
                && PackRun.sameWindow(run.getFirst().entry(), next.entry())
                && next.entry().offset() - end <= PackRun.MOST_GAP_BYTES
                && next.entry().offset()
                                + next.entry().frameBytes()
                                - run.getFirst().entry().offset()
                        <= PackRun.MOST_BYTES;
    }

    private static PackRun run(List<Place> places) {
        PackEntry first = places.getFirst().entry();
        PackEntry last = places.getLast().entry();
        return new PackRun(
                places.getFirst().pack(),
                first.offset(),
                (int) (last.offset() + last.frameBytes() - first.offset()),
                places.stream().map(Place::entry).toList());
    }
}
