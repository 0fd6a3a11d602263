package io.gpusnap.service.operation;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.swagger.v3.oas.annotations.media.Schema;
import org.jspecify.annotations.Nullable;

/**
 * A container that runs the placeholder and waits for a process to be thawed into it.
 *
 * @param podUid of its pod; with it the daemon finds the pod's cgroup
 * @param namespace of the pod, for people
 * @param podName for people
 * @param containerName of the pod's containers
 * @param containerId as the container runtime names it, such as {@code containerd://4f…}; absent where it does not say
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
@Schema(name = "ContainerTarget")
public record ContainerTarget(
        String podUid,
        String namespace,
        String podName,
        String containerName,
        @Nullable String containerId) {}
