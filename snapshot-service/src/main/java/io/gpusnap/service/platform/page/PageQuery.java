package io.gpusnap.service.platform.page;

import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.problem.Violation;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Which page of which listing is asked for.
 *
 * @param size rows of the page
 * @param after sort key of the last row of the page before; empty for the first page
 * @param scope the listing with its filters: a token of another scope is refused
 */
public record PageQuery(int size, Optional<String> after, String scope) {
    public static final int DEFAULT_SIZE = 50;
    public static final int MAX_SIZE = 200;

    /**
     * Reads the paging parameters of a request.
     *
     * @param listing what is listed
     * @param filters the listing's filters, in a fixed order
     * @throws ApiException INVALID_REQUEST for a size out of bounds, INVALID_PAGE_TOKEN for a token of another listing
     */
    public static PageQuery of(
            String listing, @Nullable Integer size, @Nullable String token, @Nullable Object... filters) {
        StringBuilder scope = new StringBuilder(listing);
        for (Object filter : filters) {
            scope.append('\n').append(Objects.toString(filter, ""));
        }
        int rows = size == null ? DEFAULT_SIZE : size;
        if (rows < 1 || rows > MAX_SIZE) {
            String detail = "must be from 1 to " + MAX_SIZE;
            throw new ApiException(
                    ErrorCode.INVALID_REQUEST, "pageSize " + detail + ".", List.of(new Violation("pageSize", detail)));
        }
        Optional<String> after = Optional.ofNullable(token)
                .filter(text -> !text.isEmpty())
                .map(text -> PageToken.read(text, scope.toString()));
        return new PageQuery(rows, after, scope.toString());
    }

    /** {@link #after} of a listing that is sorted by id, newest first. */
    public Optional<UUID> afterId() {
        try {
            return after.map(UUID::fromString);
        } catch (IllegalArgumentException e) {
            throw PageToken.invalid();
        }
    }
}
