/** Models: names under which versions and snapshots are kept. */
@NullMarked
package io.gpusnap.service.model;

import org.jspecify.annotations.NullMarked;
