/** What /proc knows of a workload: identity, open files, sockets, tree; and ending a tree for certain. */
@NullMarked
package io.gpusnap.node.process;

import org.jspecify.annotations.NullMarked;
