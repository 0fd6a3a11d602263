package io.gpusnap.node.peer;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import java.util.function.LongSupplier;

/**
 * Judges tokens. Their expiry is by the service's clock, which this node knows from what the service last said and from how much
 * time has gone by since, on a clock that nobody sets. Before the service has said anything no token is taken. Thread-safe.
 */
public final class TokenGate {

    /** How this node is known to the service now. */
    private record Identity(UUID nodeId, byte[] key) {}

    private record Clock(Instant service, long nanos) {}

    private final LongSupplier nanoTime;
    private final String tenant;
    private volatile Optional<Identity> identity = Optional.empty();
    private volatile Optional<Clock> clock = Optional.empty();

    TokenGate(String tenant, LongSupplier nanoTime) {
        this.tenant = tenant;
        this.nanoTime = nanoTime;
    }

    /** @param key of this session; tokens of earlier ones are over */
    public void registered(UUID nodeId, byte[] key) {
        identity = Optional.of(new Identity(nodeId, key.clone()));
    }

    public void serviceTime(Instant now) {
        clock = Optional.of(new Clock(now, nanoTime.getAsLong()));
    }

    /** What a token turned out to be. */
    sealed interface Verdict {}

    record Allowed(UUID snapshotId, String manifestDigest) implements Verdict {}

    record Refused(String why) implements Verdict {}

    /** @param certificate of whoever shows it */
    Verdict judge(String text, String certificate) {
        Optional<Identity> self = identity;
        Optional<Clock> known = clock;
        if (self.isEmpty() || known.isEmpty()) {
            return new Refused("this node has not heard from the service yet");
        }
        Optional<PeerToken> token = PeerToken.verified(text, self.get().key());
        if (token.isEmpty()) {
            return new Refused("the token is not the service's, or not for this node's session");
        }
        Instant now = known.get()
                .service()
                .plus(Duration.ofNanos(nanoTime.getAsLong() - known.get().nanos()));
        if (!token.get().audience().equals(self.get().nodeId())) {
            return new Refused("the token is for another node");
        }
        if (!token.get().certificate().equals(certificate)) {
            return new Refused("the token is another node's");
        }
        if (!token.get().tenant().equals(tenant)) {
            return new Refused("the token is of another tenant");
        }
        if (!now.isBefore(token.get().expiresAt())) {
            return new Refused("the token is over");
        }
        return new Allowed(token.get().snapshotId(), token.get().manifestDigest());
    }
}
