/** HTTP side of workloads. */
@NullMarked
package io.gpusnap.service.workload.web;

import org.jspecify.annotations.NullMarked;
