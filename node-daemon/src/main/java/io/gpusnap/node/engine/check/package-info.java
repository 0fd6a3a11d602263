/** What must hold before a workload is frozen or a process is brought back: each check refuses with a typed reason. */
@NullMarked
package io.gpusnap.node.engine.check;

import org.jspecify.annotations.NullMarked;
