/** Several models on one GPU: who is resumed there, and who makes room. */
@NullMarked
package io.gpusnap.service.switchover;

import org.jspecify.annotations.NullMarked;
