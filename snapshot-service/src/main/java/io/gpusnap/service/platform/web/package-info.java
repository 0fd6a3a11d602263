/** What every controller shares: conditional requests, idempotent creates, size limits, JSON settings. */
@NullMarked
package io.gpusnap.service.platform.web;

import org.jspecify.annotations.NullMarked;
