/**
 * The mutating webhook: its own HTTPS listener, its certificates, and what it changes of a pod. It answers from the pod and
 * one row, and an answer of any kind lets the pod go on: a snapshot is never the reason that a pod does not start.
 */
@NullMarked
package io.gpusnap.service.kubernetes.admission;

import org.jspecify.annotations.NullMarked;
