package io.gpusnap.node.tier.key;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A provider whose key never leaves a key management service: one that speaks the API of HashiCorp Vault's transit engine
 * ({@code POST /v1/<mount>/encrypt/<key>} and {@code …/decrypt/<key>}). The context is sent as {@code associated_data}, so the key there must
 * be an AEAD one such as {@code aes256-gcm96}. Data keys are asked for once in a daemon's life ({@link TenantKeys} keeps them), so a
 * service that is away is missed by who starts, not by who runs. Thread-safe.
 */
public final class VaultKey implements KeyProvider {

    private static final int KEY_BYTES = 32;
    private static final int MOST_ANSWER_BYTES = 64 << 10;
    private static final int ATTEMPTS = 3;
    private static final long FIRST_PAUSE_MILLIS = 200;
    private static final int MOST_TEXT = 200;
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** Where a token comes from: it may be another one each time, as agents renew them. */
    @FunctionalInterface
    public interface Tokens {
        String get() throws IOException;
    }

    /**
     * Where the key is.
     *
     * @param address such as https://vault.example.org:8200
     * @param mount of the transit engine
     * @param deadline of one request, its answer included
     */
    public record Settings(URI address, String mount, String key, Duration deadline) {}

    private final Settings settings;
    private final Tokens tokens;
    private final HttpClient http;

    public VaultKey(Settings settings, Tokens tokens) {
        this.settings = settings;
        this.tokens = tokens;
        // A redirect would carry the token to somebody else.
        this.http = HttpClient.newBuilder()
                .connectTimeout(settings.deadline())
                .followRedirects(HttpClient.Redirect.NEVER)
                .build();
    }

    @Override
    public String keyId() {
        return "vault:" + settings.mount() + "/" + settings.key();
    }

    @Override
    public byte[] wrap(byte[] dataKey, String context) throws TierException {
        return ask("encrypt", Map.of("plaintext", base64(dataKey), "associated_data", base64(context)), "ciphertext")
                .getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public byte[] unwrap(byte[] wrapped, String wrappedBy, String context) throws TierException {
        if (!wrappedBy.equals(keyId())) {
            throw new TierException(
                    Reason.NO_KEY, "a data key was wrapped by key %s, this node has %s".formatted(wrappedBy, this));
        }
        String plain = ask(
                "decrypt",
                Map.of(
                        "ciphertext",
                        new String(wrapped, StandardCharsets.US_ASCII),
                        "associated_data",
                        base64(context)),
                "plaintext");
        try {
            byte[] key = Base64.getDecoder().decode(plain);
            if (key.length == KEY_BYTES) {
                return key;
            }
        } catch (IllegalArgumentException e) {
            // Its message has part of what was decoded.
        }
        throw new TierException(Reason.IO, this + " gives out something that is no data key");
    }

    /** Sends it again where that may help; what is encrypted twice is two wrappings of one key, of which one is used. */
    private String ask(String verb, Map<String, String> body, String member) throws TierException {
        long pause = FIRST_PAUSE_MILLIS;
        for (int attempt = 1; true; attempt++) {
            try {
                return read(send(verb, body), member);
            } catch (TierException e) {
                if (e.reason() != Reason.UNAVAILABLE
                        || attempt == ATTEMPTS
                        || Thread.currentThread().isInterrupted()) {
                    throw e;
                }
            }
            pause(ThreadLocalRandom.current().nextLong(pause / 2, pause + 1));
            pause *= 2;
        }
    }

    private HttpResponse<byte[]> send(String verb, Map<String, String> body) throws TierException {
        CompletableFuture<HttpResponse<byte[]>> answer = http.sendAsync(
                request(verb, body),
                HttpResponse.BodyHandlers.limiting(HttpResponse.BodyHandlers.ofByteArray(), MOST_ANSWER_BYTES));
        try {
            // A request's own timeout ends with the headers.
            return answer.get(settings.deadline().toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            answer.cancel(true);
            throw unavailable("does not answer within " + settings.deadline().toMillis() + " ms", e);
        } catch (ExecutionException e) {
            throw unavailable("cannot be asked: " + e.getCause(), e);
        } catch (InterruptedException e) {
            answer.cancel(true);
            Thread.currentThread().interrupt();
            throw unavailable("was not waited for", e);
        }
    }

    private HttpRequest request(String verb, Map<String, String> body) throws TierException {
        try {
            return HttpRequest.newBuilder(
                            settings.address().resolve("/v1/" + settings.mount() + "/" + verb + "/" + settings.key()))
                    .header("X-Vault-Token", tokens.get())
                    .header("X-Vault-Request", "true")
                    .header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)))
                    .build();
        } catch (IOException e) {
            throw new TierException(
                    Reason.NO_KEY, "the token for %s cannot be read (vault.tokenFile): %s".formatted(this, e), e);
        }
    }

    private String read(HttpResponse<byte[]> answer, String member) throws TierException {
        int status = answer.statusCode();
        if (status == 200) {
            String value = json(answer.body()).path("data").path(member).asString("");
            if (value.isEmpty()) {
                throw new TierException(Reason.IO, this + " answers without " + member);
            }
            return value;
        }
        String said = said(answer.body());
        switch (status) {
            case 400 -> throw new TierException(Reason.IO, "%s refuses a data key: %s".formatted(this, said));
            case 401, 403 ->
                throw new TierException(
                        Reason.NO_KEY, "%s is not for this node's token (vault.tokenFile): %s".formatted(this, said));
            case 404 ->
                throw new TierException(
                        Reason.NO_KEY, "there is no %s (vault.mount, vault.key): %s".formatted(this, said));
            case 408, 412, 425, 429 -> throw unavailable("answers " + status + ": " + said, null);
            default -> {
                if (status >= 500) {
                    throw unavailable("answers " + status + ": " + said, null);
                }
                throw new TierException(Reason.IO, "%s answers %d: %s".formatted(this, status, said));
            }
        }
    }

    private JsonNode json(byte[] body) throws TierException {
        try {
            return JSON.readTree(body);
        } catch (JacksonException e) {
            // The text of the failure may repeat the body, and that the key.
            throw new TierException(Reason.IO, this + " answers something that is no JSON");
        }
    }

    /** The service's own words; they name keys and rights, never what was asked about. */
    private static String said(byte[] body) {
        try {
            JsonNode errors = JSON.readTree(body).path("errors");
            String text = errors.isArray() && !errors.isEmpty() ? errors.get(0).asString("") : "";
            return text.isBlank()
                    ? "it gives no reason"
                    : text.strip().substring(0, Math.min(MOST_TEXT, text.strip().length()));
        } catch (JacksonException e) {
            return "it gives no reason";
        }
    }

    private TierException unavailable(String what, @org.jspecify.annotations.Nullable Throwable cause) {
        return new TierException(Reason.UNAVAILABLE, this + " " + what, cause);
    }

    private void pause(long millis) throws TierException {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unavailable("was not waited for", e);
        }
    }

    private static String base64(String text) {
        return base64(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    @Override
    public String toString() {
        return "key " + keyId() + " at " + settings.address();
    }
}
