/** Measures the control plane from outside: the service's jar as it is shipped, over HTTP, on its own PostgreSQL. */
@NullMarked
package io.gpusnap.bench;

import org.jspecify.annotations.NullMarked;
