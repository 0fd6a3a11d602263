package io.gpusnap.service.rollout;

/**
 * Something that happened to a rollout, for its history.
 *
 * @param step at which, from 0; as many as there are steps once all are done
 */
record Happening(RolloutEvent.Type type, int step, String message) {}
