@org.jspecify.annotations.NullMarked
package io.gpusnap.service.kubernetes;
