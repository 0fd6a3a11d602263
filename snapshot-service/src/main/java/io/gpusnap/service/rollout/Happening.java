package io.gpusnap.service.rollout;

/** Something that happened to a rollout, for its history. */
record Happening(RolloutEvent.Type type, String message) {}
