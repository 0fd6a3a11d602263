package io.gpusnap.service.rollout;

/** Where a rollout is. */
public enum RolloutPhase {
    /** A step is being done. */
    PROGRESSING,
    /** It waits for a time, or for somebody to promote it; shares stay as they are. */
    PAUSED,
    /** All steps are done: the alias stands for the new version. */
    HEALTHY,
    /** An analysis failed: every restore gets the version before again. */
    DEGRADED,
    /** Somebody ended it: every restore gets the version before again. */
    ABORTED;

    /** Whether it decides which version a restore gets. */
    public boolean isActive() {
        return this == PROGRESSING || this == PAUSED;
    }
}
