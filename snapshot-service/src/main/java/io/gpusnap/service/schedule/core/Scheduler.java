package io.gpusnap.service.schedule.core;

/** Decides who gets which slot. Pure: no clock, no database, the same state gives the same decision. */
@FunctionalInterface
public interface Scheduler {
    Decision decide(PoolState state);
}
