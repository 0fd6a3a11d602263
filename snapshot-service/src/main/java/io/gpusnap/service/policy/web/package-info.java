/** HTTP side of tier policies. */
@NullMarked
package io.gpusnap.service.policy.web;

import org.jspecify.annotations.NullMarked;
