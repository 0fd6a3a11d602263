package io.gpusnap.node.engine;

import java.util.regex.Pattern;

/**
 * The container that a thaw goes into. Whoever asks names a pod and a container of it, never a process of the node.
 *
 * @param podUid as the API server has it; a pod of the same name that was made anew has another one
 * @param containerId of the runtime, without its scheme
 */
public record ContainerRef(String podUid, String containerId) {

    private static final Pattern POD_UID = Pattern.compile("[0-9A-Za-z-]{8,64}");
    private static final Pattern CONTAINER_ID = Pattern.compile("[0-9A-Za-z]{12,128}");

    public ContainerRef {
        if (!POD_UID.matcher(podUid).matches()) {
            throw new IllegalArgumentException("podUid must be 8 to 64 letters, digits and dashes");
        }
        if (!CONTAINER_ID.matcher(containerId).matches()) {
            throw new IllegalArgumentException("containerId must be 12 to 128 letters and digits, without a scheme");
        }
    }
}
