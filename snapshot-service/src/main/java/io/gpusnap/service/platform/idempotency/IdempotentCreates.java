package io.gpusnap.service.platform.idempotency;

import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;
import tools.jackson.databind.json.JsonMapper;

/**
 * Runs a create at most once for each Idempotency-Key. The key is first taken in a transaction of its own, so that a
 * concurrent repeat sees it; the answer is then stored in the very transaction that makes the resource. So a crash at
 * any point leaves either both or neither, and a repeat gets one outcome. A refused create gives its key back.
 */
@Component
public class IdempotentCreates {
    private static final String REPLAYED = "Idempotency-Replayed";

    private final IdempotencyStore store;
    private final TransactionTemplate transaction;
    private final JsonMapper json;

    IdempotentCreates(IdempotencyStore store, TransactionTemplate transaction, JsonMapper json) {
        this.store = store;
        this.transaction = transaction;
        this.json = json;
    }

    /**
     * Runs the create, or gives the answer that its first run got.
     *
     * @param request the parsed body, or null for a create without one; together with the path it is what must be equal
     * @param type of the answer's body
     * @throws ApiException IDEMPOTENCY_KEY_REUSED or IDEMPOTENCY_IN_FLIGHT, and whatever the create refuses
     */
    public <T> ResponseEntity<T> once(
            IdempotencyKey key, @Nullable Object request, Class<T> type, Supplier<Created<T>> create) {
        byte[] fingerprint = fingerprint(key, request);
        UUID owner = UUID.randomUUID();
        return switch (store.take(key.value(), fingerprint, owner)) {
            case IdempotencyStore.Taken taken -> run(key, owner, create);
            case IdempotencyStore.InFlight running ->
                throw new ApiException(
                        ErrorCode.IDEMPOTENCY_IN_FLIGHT, "The key \"" + key.value() + "\" is being worked on.");
            case IdempotencyStore.OtherRequest other ->
                throw new ApiException(
                        ErrorCode.IDEMPOTENCY_KEY_REUSED,
                        "The key \"" + key.value() + "\" came with another path or body before.");
            case IdempotencyStore.Answered answered ->
                response(
                        answered.status(),
                        answered.location(),
                        answered.etag(),
                        json.readValue(answered.body(), type),
                        true);
        };
    }

    private <T> ResponseEntity<T> run(IdempotencyKey key, UUID owner, Supplier<Created<T>> create) {
        Created<T> created;
        try {
            created = transaction.execute(status -> {
                Created<T> made = create.get();
                store.answer(
                        key.value(),
                        owner,
                        made.status(),
                        made.location(),
                        made.etag(),
                        json.writeValueAsString(made.body()));
                return made;
            });
        } catch (RuntimeException | Error refused) {
            try {
                store.release(key.value(), owner);
            } catch (RuntimeException alsoFailed) {
                refused.addSuppressed(alsoFailed);
            }
            throw refused;
        }
        return response(created.status(), created.location(), created.etag(), created.body(), false);
    }

    private static <T> ResponseEntity<T> response(
            int status, String location, @Nullable String etag, T body, boolean replayed) {
        var builder = ResponseEntity.status(status)
                .location(URI.create(location))
                .contentType(MediaType.APPLICATION_JSON)
                .header(REPLAYED, String.valueOf(replayed));
        return etag == null ? builder.body(body) : builder.eTag(etag).body(body);
    }

    private byte[] fingerprint(IdempotencyKey key, @Nullable Object request) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(key.target().getBytes(StandardCharsets.UTF_8));
            digest.update((byte) 0);
            digest.update(json.writeValueAsBytes(request));
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
