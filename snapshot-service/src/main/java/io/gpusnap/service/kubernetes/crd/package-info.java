/** The custom resources as Java types; {@code deploy/crds} is generated from them and compared by a test. */
@NullMarked
package io.gpusnap.service.kubernetes.crd;

import org.jspecify.annotations.NullMarked;
