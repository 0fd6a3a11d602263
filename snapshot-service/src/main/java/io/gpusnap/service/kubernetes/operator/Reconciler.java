package io.gpusnap.service.kubernetes.operator;

import java.time.Duration;
import java.util.Optional;

/**
 * Makes one resource and the catalogue agree, whatever has happened before. It is called for each change of the resource and
 * of what it stands for, never twice at a time for the same one; an exception has it called again, later and later.
 */
interface Reconciler {
    Key.Kind kind();

    /** Looks at it again after this time, if nothing happens before; empty when only a change matters. */
    Optional<Duration> reconcile(Key key);
}
