package io.gpusnap.service.kubernetes.cluster;

import io.gpusnap.service.kubernetes.crd.Crd;
import io.gpusnap.service.kubernetes.csi.VolumeSnapshot;
import java.util.Arrays;
import java.util.Optional;

/** Every call that the service makes of an API server, as a role has to allow it. A test compares it with what is called. */
public enum KubernetesCalls {
    PODS_LIST("list", "", "pods"),
    PODS_WATCH("watch", "", "pods"),
    PODS_PATCH("patch", "", "pods"),
    PODS_STATUS_PATCH("patch", "", "pods/status"),
    EVENTS_CREATE("create", "", "events"),
    SECRETS_GET("get", "", "secrets", true),
    SECRETS_CREATE("create", "", "secrets", true),
    SECRETS_UPDATE("update", "", "secrets", true),
    WEBHOOKS_GET("get", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    WEBHOOKS_PATCH("patch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    DEPLOYMENTS_LIST("list", "apps", "deployments"),
    DEPLOYMENTS_WATCH("watch", "apps", "deployments"),
    STATEFUL_SETS_LIST("list", "apps", "statefulsets"),
    STATEFUL_SETS_WATCH("watch", "apps", "statefulsets"),
    REPLICA_SETS_LIST("list", "apps", "replicasets"),
    REPLICA_SETS_WATCH("watch", "apps", "replicasets"),
    AUTOSCALERS_LIST("list", "autoscaling", "horizontalpodautoscalers"),
    AUTOSCALERS_WATCH("watch", "autoscaling", "horizontalpodautoscalers"),
    POLICIES_LIST("list", Crd.GROUP, "snapshotpolicies"),
    POLICIES_WATCH("watch", Crd.GROUP, "snapshotpolicies"),
    POLICIES_PATCH("patch", Crd.GROUP, "snapshotpolicies"),
    POLICIES_STATUS_PATCH("patch", Crd.GROUP, "snapshotpolicies/status"),
    POD_SNAPSHOTS_LIST("list", Crd.GROUP, "podsnapshots"),
    POD_SNAPSHOTS_WATCH("watch", Crd.GROUP, "podsnapshots"),
    POD_SNAPSHOTS_CREATE("create", Crd.GROUP, "podsnapshots"),
    POD_SNAPSHOTS_PATCH("patch", Crd.GROUP, "podsnapshots"),
    POD_SNAPSHOTS_STATUS_PATCH("patch", Crd.GROUP, "podsnapshots/status"),
    CONTENTS_LIST("list", Crd.GROUP, "snapshotcontents"),
    CONTENTS_WATCH("watch", Crd.GROUP, "snapshotcontents"),
    CONTENTS_CREATE("create", Crd.GROUP, "snapshotcontents"),
    CONTENTS_PATCH("patch", Crd.GROUP, "snapshotcontents"),
    CONTENTS_STATUS_PATCH("patch", Crd.GROUP, "snapshotcontents/status"),
    CONTENTS_DELETE("delete", Crd.GROUP, "snapshotcontents"),
    MODELS_LIST("list", Crd.GROUP, "models"),
    MODELS_WATCH("watch", Crd.GROUP, "models"),
    MODELS_CREATE("create", Crd.GROUP, "models"),
    MODELS_PATCH("patch", Crd.GROUP, "models"),
    MODELS_STATUS_PATCH("patch", Crd.GROUP, "models/status"),
    ARCHIVES_LIST("list", VolumeSnapshot.GROUP, "volumesnapshots", true),
    ARCHIVES_CREATE("create", VolumeSnapshot.GROUP, "volumesnapshots", true),
    ARCHIVES_DELETE("delete", VolumeSnapshot.GROUP, "volumesnapshots", true);

    private final String verb;
    private final String group;
    private final String resource;
    private final boolean inOwnNamespace;

    KubernetesCalls(String verb, String group, String resource) {
        this(verb, group, resource, false);
    }

    KubernetesCalls(String verb, String group, String resource, boolean inOwnNamespace) {
        this.verb = verb;
        this.group = group;
        this.resource = resource;
        this.inOwnNamespace = inOwnNamespace;
    }

    public String verb() {
        return verb;
    }

    /** Empty is the core group. */
    public String group() {
        return group;
    }

    /** With its subresource, as a role names it. */
    public String resource() {
        return resource;
    }

    /** Whether it is made in the service's own namespace only, so that a Role there is enough. */
    public boolean inOwnNamespace() {
        return inOwnNamespace;
    }

    /** Whether it is made only where archives of the shared tier are wanted. */
    public boolean archives() {
        return group.equals(VolumeSnapshot.GROUP);
    }

    /** Whether it changes anything. */
    public boolean writes() {
        return switch (verb) {
            case "get", "list", "watch" -> false;
            default -> true;
        };
    }

    /** The call of that name, if it is one that the service makes. */
    public static Optional<KubernetesCalls> of(String verb, String group, String resource) {
        return Arrays.stream(values())
                .filter(call -> call.verb.equals(verb) && call.group.equals(group) && call.resource.equals(resource))
                .findFirst();
    }
}
