package io.gpusnap.node.tier.key;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntPredicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The data keys of this node's tenant in one store: the newest encrypts, each decrypts what it encrypted. They lie in the store, wrapped
 * by the provider's key and bound to tenant, store and number; whoever needs the first one first makes it, a newer one an operator. Keys of
 * other tenants are never asked for. Thread-safe. A group of tenants that share chunks has keys in the same way, under a name that no
 * tenant can have.
 */
public final class TenantKeys {

    private static final Logger LOG = LoggerFactory.getLogger(TenantKeys.class);
    private static final int KEY_BYTES = 32;
    /** A key a day for ten years; whatever is found beyond that is damage. */
    private static final int MOST_KEYS = 4096;

    private final KeyFolder folder;
    private final KeyProvider provider;
    private final String tenant;
    /** Read without the lock, which may be held by somebody who waits for the store: a thaw must not wait with him. */
    private final Map<Integer, Known> known = new ConcurrentHashMap<>();

    public TenantKeys(KeyFolder folder, KeyProvider provider, String tenant) {
        this.folder = folder;
        this.provider = provider;
        this.tenant = tenant;
    }

    /** As whose keys those of a sharing group are kept. */
    public static String ownerOf(String group) {
        return "@" + group;
    }

    /**
     * One data key.
     *
     * @param number 0 for the first
     * @param keyId of the provider's key that has wrapped it
     * @param current whether what is written now is encrypted by it
     */
    public record Listed(int number, String keyId, boolean current) {}

    /**
     * A key that this node has opened.
     *
     * @param wrapped as it lay in the place when it was last looked for
     */
    private record Known(DataKey key, WrappedKey wrapped) {}

    /** What lies in the place, besides its keys. */
    @FunctionalInterface
    public interface Sealed {
        /** Whether any of it is encrypted by a key of this tenant with such a number. */
        boolean anyBy(IntPredicate numbers) throws TierException;
    }

    /** Is told of each key that was looked at. */
    @FunctionalInterface
    public interface Progress {
        void done(int keys, int all);
    }

    public String tenant() {
        return tenant;
    }

    /** Whether this is the scope of one of this tenant's keys, made already or not. */
    public boolean owns(String scope) {
        return numberOf(scope).isPresent();
    }

    /** Which of the tenant's keys a scope means; empty when it is none of them. */
    public OptionalInt numberOf(String scope) {
        return DataKey.numberOf(tenant, scope);
    }

    /**
     * What encrypts now: another node may have made a newer one a moment ago. It lies in the place when this returns: one that had
     * vanished under this daemon is put back as it was, for what is encrypted by a key that is only in memory is lost with the daemon.
     *
     * @param storeId the key is of no use in another store
     * @param sealed is asked before the first key is made
     * @throws TierException NO_KEY when the provider does not have the key that wrapped it, or there is none any more for what is encrypted,
     *     or another one than was used; IO, NO_SPACE, UNAVAILABLE also when one that had vanished cannot be put back
     */
    public synchronized DataKey current(UUID storeId, Sealed sealed) throws TierException {
        int number = 0;
        for (int one : known.keySet()) {
            number = Math.max(number, one);
        }
        Known newest = known.get(number);
        if (newest != null) {
            keep(newest, storeId);
        } else if (folder.find(name(0)).isEmpty()) {
            make(0, storeId, sealed);
        }
        while (folder.find(name(number + 1)).isPresent()) {
            number = next(number);
        }
        return get(number, storeId);
    }

    /**
     * What decrypts.
     *
     * @param scope as {@link DataKey#scope} gave it
     * @throws TierException NO_KEY when it is not this tenant's, or wrapped by a key that the provider does not have; IO when it is
     *     not there
     */
    public DataKey of(String scope, UUID storeId) throws TierException {
        return of(
                DataKey.numberOf(tenant, scope)
                        .orElseThrow(() ->
                                new TierException(Reason.NO_KEY, "%s is no scope of %s".formatted(scope, tenant))),
                storeId);
    }

    /** Whether there is a key of this number. */
    public boolean has(int number) throws TierException {
        return known.containsKey(number)
                || number >= 0
                        && number < MOST_KEYS
                        && folder.find(name(number)).isPresent();
    }

    /** As {@link #of(String, UUID)}. */
    public DataKey of(int number, UUID storeId) throws TierException {
        Known found = known.get(number);
        return found == null ? get(number, storeId) : found.key();
    }

    private synchronized DataKey get(int number, UUID storeId) throws TierException {
        Known found = known.get(number);
        if (found == null) {
            WrappedKey wrapped = load(number);
            found = new Known(new DataKey(tenant, number, unwrap(wrapped, number, storeId)), wrapped);
            known.put(number, found);
        }
        return found.key();
    }

    /** Somebody may have wrapped it anew meanwhile: then that is what is put back another time. */
    private void keep(Known held, UUID storeId) throws TierException {
        int number = held.key().number();
        Optional<byte[]> there = folder.find(name(number));
        WrappedKey found = WrappedKey.decode(there.isPresent() ? there.get() : putBack(held), folder.location());
        // A node that the provider's new key has not reached cannot compare, and what it encrypts others can open.
        if (Arrays.equals(found.encode(), held.wrapped().encode())
                || !provider.keyIds().contains(found.keyId())) {
            return;
        }
        if (!new DataKey(tenant, number, unwrap(found, number, storeId)).isSameAs(held.key())) {
            throw new TierException(
                    Reason.NO_KEY,
                    "data key %d of %s in %s is not the one that has encrypted here until now: put the one of before back as keys/%s"
                            .formatted(
                                    number,
                                    tenant,
                                    folder.location(),
                                    name(number).hex()));
        }
        known.put(number, new Known(held.key(), found));
    }

    /** @return what lies there then */
    private byte[] putBack(Known held) throws TierException {
        ChunkDigest name = name(held.key().number());
        String gone = "data key %d of %s is not in %s any more, and cannot be put back: "
                .formatted(held.key().number(), tenant, folder.location());
        Optional<byte[]> there;
        try {
            folder.putIfAbsent(name, held.wrapped().encode());
            there = folder.find(name);
        } catch (TierException e) {
            throw new TierException(e.reason(), gone + e.getMessage(), e);
        }
        byte[] found = there.orElseThrow(() -> new TierException(
                Reason.IO, gone + "it does not keep what it is given (keys/%s)".formatted(name.hex())));
        LOG.atWarn()
                .addKeyValue("store", folder.location())
                .addKeyValue("key", "keys/" + name.hex())
                .log("a data key that is in use had vanished and was put back; something deletes what lies in keys/");
        return found;
    }

    private WrappedKey load(int number) throws TierException {
        byte[] bytes = folder.find(name(number))
                .orElseThrow(() -> new TierException(
                        Reason.IO, "data key %d of %s is not in %s".formatted(number, tenant, folder.location())));
        return WrappedKey.decode(bytes, folder.location());
    }

    /**
     * Somebody else may be first: then it is his. A number is given once: under two keys of one number nobody could tell what opens by which.
     */
    private void make(int number, UUID storeId, Sealed sealed) throws TierException {
        boolean given = folder.find(name(number + 1)).isPresent() || sealed.anyBy(other -> other >= number);
        // Who was first may have encrypted something by now.
        if (given && folder.find(name(number)).isEmpty()) {
            throw new TierException(
                    Reason.NO_KEY,
                    ("data key %d of %s is not in %s, and was: what it has encrypted is there. Put keys/%s back, from a backup or another"
                                    + " copy of the store; where it is lost for good, delete the copies there first")
                            .formatted(
                                    number,
                                    tenant,
                                    folder.location(),
                                    name(number).hex()));
        }
        byte[] fresh = new byte[KEY_BYTES];
        new SecureRandom().nextBytes(fresh);
        folder.putIfAbsent(
                name(number),
                WrappedKey.of(provider, fresh, context(number, storeId)).encode());
    }

    private static int next(int number) throws TierException {
        if (number + 1 >= MOST_KEYS) {
            throw new TierException(Reason.IO, "a store has at most " + MOST_KEYS + " data keys of a tenant");
        }
        return number + 1;
    }

    private byte[] unwrap(WrappedKey wrapped, int number, UUID storeId) throws TierException {
        return provider.unwrap(wrapped.wrapped(), wrapped.keyId(), context(number, storeId));
    }

    /** Every key that is there, the oldest first. */
    public synchronized List<Listed> list() throws TierException {
        List<WrappedKey> keys = new ArrayList<>();
        for (int number = 0; number < MOST_KEYS; number++) {
            Optional<byte[]> found = folder.find(name(number));
            if (found.isEmpty()) {
                break;
            }
            keys.add(WrappedKey.decode(found.get(), folder.location()));
        }
        List<Listed> listed = new ArrayList<>();
        for (int number = 0; number < keys.size(); number++) {
            listed.add(new Listed(number, keys.get(number).keyId(), number == keys.size() - 1));
        }
        return listed;
    }

    /**
     * Makes a new key, which encrypts from now on; what older ones encrypted they decrypt for ever.
     *
     * @return its number
     * @throws TierException NO_KEY also when the newest one cannot be opened here: whoever cannot read must not go on
     */
    public synchronized int rotate(UUID storeId, Sealed sealed) throws TierException {
        int number = next(current(storeId, sealed).number());
        make(number, storeId, sealed);
        return get(number, storeId).number();
    }

    /**
     * Wraps every key by the provider's present key, one after the other; what is there is replaced only by what was proven to
     * open to the same key. Cut off, it is run again.
     *
     * @return how many were wrapped by another key before
     * @throws TierException NO_KEY when one cannot be opened by any key of the provider
     */
    public synchronized int rewrap(UUID storeId, Progress progress) throws TierException {
        List<Listed> keys = list();
        int changed = 0;
        for (Listed key : keys) {
            if (!key.keyId().equals(provider.keyId())) {
                rewrap(key.number(), storeId);
                changed++;
            }
            progress.done(key.number() + 1, keys.size());
        }
        return changed;
    }

    private void rewrap(int number, UUID storeId) throws TierException {
        byte[] before = load(number).encode();
        byte[] secret = unwrap(load(number), number, storeId);
        byte[] after = WrappedKey.of(provider, secret, context(number, storeId)).encode();
        if (!Arrays.equals(unwrap(WrappedKey.decode(after, "memory"), number, storeId), secret)) {
            throw new TierException(Reason.IO, "the key provider does not give back what it has wrapped");
        }
        folder.replace(name(number), after);
        if (!Arrays.equals(folder.find(name(number)).orElse(new byte[0]), after)) {
            folder.replace(name(number), before);
            throw new TierException(
                    Reason.CORRUPT, folder.location() + " does not give back what it was given as a key");
        }
    }

    private ChunkDigest name(int number) {
        return ChunkDigest.of(Macs.of(
                "gpusnap tenant".getBytes(StandardCharsets.US_ASCII),
                DataKey.scope(tenant, number).getBytes(StandardCharsets.UTF_8)));
    }

    private String context(int number, UUID storeId) {
        return "gpusnap data key of " + DataKey.scope(tenant, number) + " in " + storeId;
    }
}
