package io.gpusnap.service.kubernetes.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ApiCallTest {
    @ParameterizedTest
    @CsvSource({
        "GET, /api/v1/pods?labelSelector=a, list, '', pods",
        "GET, /api/v1/pods?watch=true, watch, '', pods",
        "GET, /api/v1/namespaces/ns/pods, list, '', pods",
        "GET, /api/v1/namespaces/ns/secrets/one, get, '', secrets",
        "PATCH, /api/v1/namespaces/ns/pods/one, patch, '', pods",
        "PATCH, /api/v1/namespaces/ns/pods/one/status, patch, '', pods/status",
        "POST, /api/v1/namespaces/ns/events, create, '', events",
        "GET, /api/v1/namespaces/ns, get, '', namespaces",
        "PUT, /apis/gpusnap.io/v1alpha1/models/m/status, update, gpusnap.io, models/status",
        "DELETE, /apis/gpusnap.io/v1alpha1/models/m, delete, gpusnap.io, models",
        "DELETE, /apis/gpusnap.io/v1alpha1/namespaces/ns/podsnapshots, deletecollection, gpusnap.io, podsnapshots"
    })
    void aRequestIsTheCallThatItsRoleNames(String method, String path, String verb, String group, String resource) {
        assertThat(ApiCall.of(method, URI.create("https://cluster" + path)))
                .contains(new ApiCall(verb, group, resource));
    }

    @Test
    void whatIsNoResourceIsNoCall() {
        assertThat(ApiCall.of("GET", URI.create("https://cluster/version"))).isEmpty();
        assertThat(ApiCall.of("GET", URI.create("https://cluster/apis/gpusnap.io")))
                .isEmpty();
    }
}
