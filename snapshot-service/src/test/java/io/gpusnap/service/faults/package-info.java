/** Rows of the fault matrix as tests, on several services. */
package io.gpusnap.service.faults;
