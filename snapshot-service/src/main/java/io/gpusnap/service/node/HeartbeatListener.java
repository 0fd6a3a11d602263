package io.gpusnap.service.node;

/** A feature that keeps what heartbeats say beside the inventory. Called in the heartbeat's transaction. */
public interface HeartbeatListener {
    void heard(Heartbeat heartbeat);
}
