/** HTTP side of snapshots. */
@NullMarked
package io.gpusnap.service.snapshot.web;

import org.jspecify.annotations.NullMarked;
