/** A running service and those who talk to it, for tests. */
package io.gpusnap.service.testing;
