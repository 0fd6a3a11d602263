package io.gpusnap.node.agent;

import io.gpusnap.node.client.NodeApiClient;
import io.gpusnap.node.client.NodeApiException;
import io.gpusnap.node.client.Registration;
import io.gpusnap.node.client.Session;
import io.gpusnap.node.operation.LogKeys;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The session with the service. One thread, {@link #keepRegistered}, registers whenever there is none, with growing waits;
 * the others wait for a session or look whether there is one. Says in the log when the connection's state changes, and only
 * then.
 */
final class ServiceLink {

    private static final Logger LOG = LoggerFactory.getLogger(ServiceLink.class);
    private static final int CALM_SECONDS = 60;

    private final NodeApiClient client;
    private final String accessToken;
    private final Supplier<Registration> registration;
    private final AgentTiming timing;
    private final Consumer<Session> registered;

    private @Nullable Session session;
    private ConnectionState state = ConnectionState.CONNECTING;
    private long registeredAtNanos;
    /** Attempts to register that failed in a row. */
    private int failures;
    /** Sessions in a row that were over soon after they began. */
    private int shortSessions;

    /** @param registered is told of each session before anybody works with it */
    ServiceLink(
            NodeApiClient client,
            String accessToken,
            Supplier<Registration> registration,
            AgentTiming timing,
            Consumer<Session> registered) {
        this.client = client;
        this.accessToken = accessToken;
        this.registration = registration;
        this.timing = timing;
        this.registered = registered;
    }

    synchronized ConnectionState state() {
        return state;
    }

    synchronized Optional<Session> current() {
        return Optional.ofNullable(session);
    }

    synchronized Session await() throws InterruptedException {
        while (session == null) {
            wait();
        }
        return session;
    }

    /** The service answered a call of this session. */
    synchronized void reached() {
        if (session != null) {
            become(ConnectionState.CONNECTED, "");
        }
    }

    synchronized void failed(NodeApiException.Unavailable e) {
        become(ConnectionState.UNREACHABLE, String.valueOf(e.getMessage()));
    }

    /** Wakes the registering thread, unless another call has already reported the same session. */
    synchronized void stale(Session old, NodeApiException.StaleSession e) {
        if (session == old) {
            LOG.atWarn().addKeyValue(LogKeys.REASON, e.getMessage()).log("session is over, registering again");
            session = null;
            // Two daemons of one name would otherwise take the session from each other without a pause.
            shortSessions = lastedLong() ? 0 : shortSessions + 1;
            notifyAll();
        }
    }

    private boolean lastedLong() {
        return timing.nanoTime().getAsLong() - registeredAtNanos > CALM_SECONDS * 1_000_000_000L;
    }

    /** Runs until interrupted. */
    void keepRegistered() throws InterruptedException {
        while (true) {
            synchronized (this) {
                while (session != null) {
                    wait();
                }
            }
            int inARow = failuresInARow();
            if (inARow > 0) {
                Thread.sleep(timing.reconnect().delayAfter(inARow, RandomGenerator.getDefault()));
            }
            register();
        }
    }

    private void register() throws InterruptedException {
        try {
            Session fresh = client.register(accessToken, registration.get());
            registered.accept(fresh);
            synchronized (this) {
                session = fresh;
                registeredAtNanos = timing.nanoTime().getAsLong();
                become(ConnectionState.CONNECTED, "node epoch " + fresh.epoch());
                failures = 0;
                notifyAll();
            }
        } catch (NodeApiException.Unavailable e) {
            notRegistered(ConnectionState.UNREACHABLE, e);
        } catch (NodeApiException e) {
            notRegistered(ConnectionState.REFUSED, e);
        } catch (RuntimeException e) {
            LOG.error("registering failed", e);
            notRegistered(ConnectionState.UNREACHABLE, e);
        }
    }

    private synchronized void notRegistered(ConnectionState next, Exception why) {
        failures++;
        become(next, String.valueOf(why.getMessage()));
    }

    private synchronized int failuresInARow() {
        return failures + shortSessions;
    }

    private void become(ConnectionState next, String reason) {
        if (state == next) {
            return;
        }
        state = next;
        switch (next) {
            case CONNECTED -> LOG.atInfo().addKeyValue(LogKeys.REASON, reason).log("connected to the service");
            case UNREACHABLE ->
                LOG.atWarn()
                        .addKeyValue(LogKeys.REASON, reason)
                        .log("the service cannot be reached; trying until it answers");
            case REFUSED ->
                LOG.atError()
                        .addKeyValue(LogKeys.REASON, reason)
                        .log("the service refuses this daemon; check service.token or service.tokenFile");
            case CONNECTING -> LOG.info("connecting to the service");
        }
    }
}
