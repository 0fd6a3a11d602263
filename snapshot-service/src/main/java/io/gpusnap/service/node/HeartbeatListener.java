package io.gpusnap.service.node;

/** A feature that keeps a part of what heartbeats say. Called in the heartbeat's transaction. */
public interface HeartbeatListener {
    void heard(Heartbeat heartbeat);
}
