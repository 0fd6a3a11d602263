package io.gpusnap.service.testing;

import io.gpusnap.service.testing.Api.Reply;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** A daemon that speaks the whole node API over a model of its tiers: memory, its own store, and perhaps a shared one. */
public final class FakeDaemon {
    private static final Set<String> CAPABILITIES =
            Set.of("criu+cuda", "suspend", "transfer", "evict", "sweep", "scrub", "verify");

    /** Of each of its snapshots. */
    public static final long SNAPSHOT_BYTES = 4_198_400;

    private final Api operator;
    private SimulatedNode node;
    private final UUID memoryStore = UUID.randomUUID();
    private final UUID ownStore = UUID.randomUUID();
    private final @Nullable FakeSharedStore shared;
    private final Set<String> memory = new TreeSet<>();
    private final Set<String> own = new TreeSet<>();
    private final Map<String, String> health = new TreeMap<>();
    private final List<String> done = new ArrayList<>();
    private long ownCapacityBytes = 1L << 40;
    private long ownCopyBytes = SNAPSHOT_BYTES;
    private boolean tellsCopyBytes;
    private @Nullable Map<String, String> peer;
    private @Nullable Map<String, Object> access;
    private boolean knowsTheSharedStore;

    private FakeDaemon(Api operator, SimulatedNode node, @Nullable FakeSharedStore shared) {
        this.operator = operator;
        this.node = node;
        this.shared = shared;
    }

    /** Registers and reports once. */
    public static FakeDaemon start(Api operator, @Nullable FakeSharedStore shared) {
        Map<String, String> capabilities = new TreeMap<>();
        CAPABILITIES.forEach(name -> capabilities.put(name, ""));
        FakeDaemon daemon = new FakeDaemon(
                operator,
                SimulatedNode.register(operator, "node-" + UUID.randomUUID(), SimulatedNode.inventory(capabilities)),
                shared);
        daemon.heartbeat();
        return daemon;
    }

    public SimulatedNode node() {
        return node;
    }

    public String id() {
        return node.id();
    }

    /** What it did, as KIND and snapshot or KIND alone, in order. */
    public List<String> done() {
        return List.copyOf(done);
    }

    public Set<String> own() {
        return own;
    }

    public Set<String> memory() {
        return memory;
    }

    public UUID ownStore() {
        return ownStore;
    }

    public void ownCapacity(long bytes) {
        ownCapacityBytes = bytes;
    }

    /** Its own store compresses: each copy takes so many bytes there, and it says so of each that it makes or scrubs from now on. */
    public void compressesTo(long copyBytes) {
        ownCopyBytes = copyBytes;
        tellsCopyBytes = true;
    }

    public void tierHealth(String tier, String state) {
        health.put(tier, state);
    }

    /** It begins anew: which store is behind its shared tier it learns from the store, once that answers. */
    public void restart() {
        knowsTheSharedStore = false;
        node = SimulatedNode.register(operator, node.name(), inventory());
        heartbeat();
    }

    /** From the next heartbeat on it gives chunks to other nodes of this tenant. */
    public void servesPeers(String address, String certificate, String tenant) {
        peer = Map.of("address", address, "certificate", certificate, "tenant", tenant);
    }

    /** From the next heartbeat on it says that it has the keys of this tenant, signs by this key and trusts it alone. */
    public void holdsKeysOf(String tenant, String signer) {
        access = Map.of(
                "opens",
                List.of(tenant),
                "keyIds",
                List.of("k-" + tenant),
                "signsAs",
                signer,
                "trusts",
                List.of(signer));
    }

    public void heartbeat(Object... processes) {
        node.heartbeat(inventory(), List.of(processes), List.of()).expect(200);
    }

    /** While it works on this. */
    public void heartbeatAtWorkOn(JsonNode task) {
        Map<String, Object> held = Map.of(
                "operationId",
                task.path("operationId").asString(),
                "epoch",
                task.path("epoch").asLong());
        node.heartbeat(inventory(), List.of(), List.of(held)).expect(200);
    }

    /** Takes a snapshot of a process of its own; it is READY then. */
    public String save(Catalogue catalogue, int pid) {
        node.heartbeat(inventory(), List.of(SimulatedNode.process(pid, "w-" + pid)), List.of())
                .expect(200);
        String workload = catalogue
                .api()
                .get("/api/v1/workloads?node=" + node.id() + "&name=w-" + pid + "&state=RUNNING")
                .expect(200)
                .json()
                .at("/items/0/id")
                .asString();
        String snapshot = catalogue
                .save(workload, "criu+cuda")
                .expect(202)
                .json()
                .at("/snapshot/id")
                .asString();
        JsonNode task = claim("SAVE").orElseThrow();
        succeed(task, "save", tellingCopyBytes(TestManifest.of(task).saveResult()));
        own.add(snapshot);
        return snapshot;
    }

    /** The next operation of one of these kinds, if there is one. */
    public Optional<JsonNode> claim(String... kinds) {
        Reply reply = node.session()
                .post("/node/v1/nodes/" + node.id() + "/claims?waitSeconds=0"
                        + (kinds.length == 0 ? "" : "&kinds=" + String.join(",", kinds)));
        return reply.status() == 204
                ? Optional.empty()
                : Optional.of(reply.expect(200).json());
    }

    /** Does everything that waits for it; returns how much that was. */
    public int work() {
        int count = 0;
        for (Optional<JsonNode> task = claim(); task.isPresent(); task = claim()) {
            perform(task.get());
            count++;
        }
        return count;
    }

    /** Does one claimed operation. */
    public void perform(JsonNode task) {
        String kind = task.path("kind").asString();
        done.add((kind + " " + snapshotOf(task)).trim());
        switch (kind) {
            case "TRANSFER" -> transfer(task);
            case "EVICT" -> {
                tier(task.at("/evict/tier/name").asString())
                        .remove(task.at("/evict/snapshotId").asString());
                succeed(task, "evict", Map.of("freedBytes", ownCopyBytes));
            }
            case "DELETE" -> {
                own.remove(task.at("/delete/snapshotId").asString());
                memory.remove(task.at("/delete/snapshotId").asString());
                node.complete(task, Map.of("outcome", "SUCCEEDED")).expect(204);
            }
            case "VERIFY" -> node.complete(task, Map.of("outcome", "SUCCEEDED")).expect(204);
            case "THAW" -> node.thawed(task, 5000 + done.size(), "w").expect(204);
            case "SWEEP" -> sweep(task);
            case "SCRUB" -> scrub(task);
            default -> throw new AssertionError("unknown kind " + kind);
        }
    }

    private void transfer(JsonNode task) {
        String snapshot = task.at("/transfer/snapshotId").asString();
        String tier = task.at("/transfer/tier/name").asString();
        if (tier.equals("nvme") && (own.size() + 1) * ownCopyBytes > ownCapacityBytes) {
            node.fail(task, "INSUFFICIENT_SPACE").expect(204);
            return;
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("bytesMoved", SNAPSHOT_BYTES);
        result.put("bytesStored", SNAPSHOT_BYTES);
        result.put("seconds", 1.5);
        if (tier.equals("s3")) {
            result.put("objects", push(snapshot));
        } else {
            tier(tier).add(snapshot);
        }
        succeed(task, "transfer", tier.equals("nvme") ? tellingCopyBytes(result) : result);
    }

    private Map<String, Object> tellingCopyBytes(Map<String, Object> result) {
        Map<String, Object> all = new LinkedHashMap<>(result);
        if (tellsCopyBytes) {
            all.put("copyBytes", ownCopyBytes);
        }
        return all;
    }

    /** As objects of the shared store: the base that all share, and what is the snapshot's own. */
    public List<Map<String, Object>> push(String snapshot) {
        FakeSharedStore store = store();
        store.mend(snapshot);
        String base = store.objects().keySet().stream()
                .filter(name -> name.startsWith("packs/base"))
                .findFirst()
                .orElseGet(() -> store.put("packs/base", FakeSharedStore.PACK_BYTES));
        String pack = store.put("packs/" + snapshot, FakeSharedStore.PACK_BYTES);
        String manifest = store.put("snapshots/" + snapshot, 4096);
        return List.of(
                Map.of("name", base, "sizeBytes", FakeSharedStore.PACK_BYTES),
                Map.of("name", pack, "sizeBytes", FakeSharedStore.PACK_BYTES),
                Map.of("name", manifest, "sizeBytes", 4096));
    }

    private void sweep(JsonNode task) {
        long deleted = 0;
        for (JsonNode name : task.at("/sweep/delete")) {
            deleted += store().delete(name.asString());
        }
        List<Map<String, Object>> objects = store().objects().entrySet().stream()
                .filter(one ->
                        one.getKey().compareTo(task.at("/sweep/listAfter").asString("")) > 0)
                .map(one -> Map.<String, Object>of("name", one.getKey(), "sizeBytes", one.getValue()))
                .toList();
        int limit = task.at("/sweep/listLimit").asInt();
        succeed(
                task,
                "sweep",
                Map.of(
                        "deletedBytes",
                        deleted,
                        "abortedUploads",
                        0,
                        "objects",
                        objects.subList(0, Math.min(limit, objects.size())),
                        "complete",
                        objects.size() <= limit));
    }

    private void scrub(JsonNode task) {
        boolean sharedTier = task.at("/scrub/tier/name").asString().equals("s3");
        List<Map<String, Object>> verdicts = new ArrayList<>();
        for (JsonNode subject : task.at("/scrub/snapshots")) {
            String snapshot = subject.path("snapshotId").asString();
            boolean bad = sharedTier && store().isDamaged(snapshot);
            Map<String, Object> verdict = Map.of(
                    "snapshotId", snapshot,
                    "verdict", bad ? "CORRUPT" : "GOOD",
                    "detail", bad ? "chunk abab… of pack 7 has another digest" : "-");
            verdicts.add(sharedTier ? verdict : tellingCopyBytes(verdict));
        }
        succeed(
                task,
                "scrub",
                Map.of("bytesRead", SNAPSHOT_BYTES * verdicts.size(), "seconds", 2.0, "snapshots", verdicts));
    }

    public Reply complete(JsonNode task, String member, Map<String, Object> result) {
        return node.complete(task, Map.of("outcome", "SUCCEEDED", member, result));
    }

    private void succeed(JsonNode task, String member, Map<String, Object> result) {
        complete(task, member, result).expect(204);
    }

    private FakeSharedStore store() {
        if (shared == null) {
            throw new AssertionError("this node sees no shared store");
        }
        return shared;
    }

    private Set<String> tier(String name) {
        return switch (name) {
            case "memory" -> memory;
            case "nvme" -> own;
            default -> throw new AssertionError("no set of snapshots for tier " + name);
        };
    }

    private static String snapshotOf(JsonNode task) {
        String member = task.path("kind").asString().toLowerCase(java.util.Locale.ROOT);
        return task.path(member).path("snapshotId").asString("");
    }

    private Map<String, Object> inventory() {
        Map<String, String> capabilities = new TreeMap<>();
        CAPABILITIES.forEach(name -> capabilities.put(name, ""));
        Map<String, Object> inventory = SimulatedNode.inventory(capabilities);
        List<Map<String, Object>> tiers = new ArrayList<>();
        Map<String, Object> pool = tierOf("MEMORY", "memory", memoryStore, 1L << 30, memory.size() * SNAPSHOT_BYTES);
        // Clean copies make room whenever somebody needs it.
        pool.put("freeBytes", 1L << 30);
        pool.put(
                "residents",
                memory.stream()
                        .map(id -> Map.of("snapshotId", id, "bytes", SNAPSHOT_BYTES, "totalBytes", SNAPSHOT_BYTES))
                        .toList());
        tiers.add(pool);
        tiers.add(tierOf("NVME", "nvme", ownStore, ownCapacityBytes, own.size() * ownCopyBytes));
        if (shared != null) {
            knowsTheSharedStore |= !"UNHEALTHY".equals(health.get("s3"));
            tiers.add(tierOf("S3", "s3", knowsTheSharedStore ? shared.id() : null, 0, 0));
        }
        inventory.put("tiers", tiers);
        inventory.put("snapshots", List.copyOf(own));
        if (peer != null) {
            inventory.put("peer", peer);
        }
        if (access != null) {
            inventory.put("access", access);
        }
        return inventory;
    }

    private Map<String, Object> tierOf(String kind, String name, @Nullable UUID store, long capacity, long used) {
        Map<String, Object> tier = new LinkedHashMap<>();
        tier.put("kind", kind);
        tier.put("name", name);
        if (store != null) {
            tier.put("storeId", store);
        }
        tier.put("capacityBytes", capacity);
        tier.put("usedBytes", used);
        tier.put("freeBytes", Math.max(0, capacity - used));
        tier.put("health", health.getOrDefault(name, "HEALTHY"));
        tier.put("healthReason", health.containsKey(name) ? "as the test wants it" : "");
        return tier;
    }
}
