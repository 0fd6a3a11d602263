package io.gpusnap.service.kubernetes.cluster;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A request to an API server, as its authorisation sees it.
 *
 * @param resource with its subresource
 */
public record ApiCall(String verb, String group, String resource) {

    /** Empty for what is no call of a resource, such as {@code /version}. */
    public static Optional<ApiCall> of(String method, URI uri) {
        List<String> parts = new ArrayList<>(List.of(uri.getPath().substring(1).split("/", -1)));
        String group;
        if (parts.getFirst().equals("api") && parts.size() > 2) {
            group = "";
            parts.subList(0, 2).clear();
        } else if (parts.getFirst().equals("apis") && parts.size() > 3) {
            group = parts.get(1);
            parts.subList(0, 3).clear();
        } else {
            return Optional.empty();
        }
        if (parts.getFirst().equals("namespaces") && parts.size() > 2) {
            parts.subList(0, 2).clear();
        }
        String resource = parts.size() > 2 ? parts.getFirst() + "/" + parts.get(2) : parts.getFirst();
        return Optional.of(new ApiCall(verb(method, parts.size() > 1, uri), group, resource));
    }

    private static String verb(String method, boolean named, URI uri) {
        String query = uri.getQuery() == null ? "" : uri.getQuery();
        return switch (method) {
            case "GET" -> query.contains("watch=true") ? "watch" : named ? "get" : "list";
            case "POST" -> "create";
            case "PUT" -> "update";
            case "PATCH" -> "patch";
            case "DELETE" -> named ? "delete" : "deletecollection";
            default -> method;
        };
    }
}
