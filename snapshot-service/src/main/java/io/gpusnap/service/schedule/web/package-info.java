/** Pools over HTTP. */
@NullMarked
package io.gpusnap.service.schedule.web;

import org.jspecify.annotations.NullMarked;
