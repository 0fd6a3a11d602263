package io.gpusnap.service.platform.page;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One page of a listing.
 *
 * @param nextPageToken for the next page; absent on the last one
 */
public record Page<T>(
        List<T> items,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String nextPageToken) {

    /**
     * Cuts a page out of what was read for it.
     *
     * @param rows up to {@code query.size() + 1} rows; the one too many only tells that there is another page
     * @param key a row's sort key
     */
    public static <T> Page<T> of(PageQuery query, List<T> rows, Function<T, String> key) {
        if (rows.size() <= query.size()) {
            return new Page<>(List.copyOf(rows), null);
        }
        List<T> items = List.copyOf(rows.subList(0, query.size()));
        return new Page<>(items, PageToken.write(key.apply(items.getLast()), query.scope()));
    }

    public <R> Page<R> map(Function<? super T, ? extends R> mapping) {
        return new Page<>(items.stream().<R>map(mapping).toList(), nextPageToken);
    }
}
