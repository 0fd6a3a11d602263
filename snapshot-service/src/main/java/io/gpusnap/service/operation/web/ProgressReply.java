package io.gpusnap.service.operation.web;

import java.time.Instant;

/** The lease was renewed. {@code cancelRequested}: stop at the next safe point, undo, and complete as CANCELLED. */
record ProgressReply(boolean cancelRequested, Instant leaseUntil) {}
