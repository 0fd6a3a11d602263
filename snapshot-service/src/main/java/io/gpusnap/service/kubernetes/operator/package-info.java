/**
 * The operator: one instance of the service leads, watches, and makes custom resources and catalogue agree, one changed
 * resource at a time.
 */
@NullMarked
package io.gpusnap.service.kubernetes.operator;

import org.jspecify.annotations.NullMarked;
