package io.gpusnap.service.kubernetes.testing;

import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.Interceptor;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/** A kind that the API server, as far as the service can see, does not know. */
public final class HiddenKind implements Interceptor {
    /** No API server has anything there. */
    static final String NOWHERE = "/apis/nowhere.gpusnap.io/";

    private volatile @Nullable String path;

    /** @param resources path below the API server that its lists and watches are at */
    public void hide(String resources) {
        path = resources;
    }

    public void show() {
        path = null;
    }

    @Override
    public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
        String hidden = path;
        if (hidden != null && request.uri().getPath().equals(hidden)) {
            builder.uri(URI.create(request.uri().toString().replace(hidden, NOWHERE + "v1/nothing")));
        }
    }
}
