package io.gpusnap.service.kubernetes.crd;

/** Names that all custom resources share. */
public final class Crd {
    public static final String GROUP = "gpusnap.io";
    public static final String VERSION = "v1alpha1";
    /** Keeps a resource until what it stands for is dealt with. */
    public static final String FINALIZER = "gpusnap.io/catalogue";

    static final String DNS_LABEL = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";
    static final String NAME = "^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$";
    static final String UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$";

    private Crd() {}
}
