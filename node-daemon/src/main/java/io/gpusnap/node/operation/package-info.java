/**
 * Long work as an ordered list of stages: what a stage is, the runner that executes, retries, cancels and undoes them, and
 * the journal that lets an operation survive the daemon's own death.
 *
 * <p>Engines implement {@link io.gpusnap.node.operation.Stage}; this package knows nothing of them.
 */
@NullMarked
package io.gpusnap.node.operation;

import org.jspecify.annotations.NullMarked;
