package io.gpusnap.service.platform.web;

import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.problem.ProblemWriter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;

/** Stops bodies that are too large: by their declared length before they are read, else as soon as they pass it. */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE + 10)
class RequestSizeFilter extends OncePerRequestFilter {
    private final RequestLimits limits;
    private final ProblemWriter problems;

    RequestSizeFilter(RequestLimits limits, ProblemWriter problems) {
        this.limits = limits;
        this.problems = problems;
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        long limitBytes =
                (request.getRequestURI().startsWith("/node/") ? limits.maxNodeBody() : limits.maxBody()).toBytes();
        if (request.getContentLengthLong() > limitBytes) {
            problems.write(request, response, ErrorCode.PAYLOAD_TOO_LARGE, detail(limitBytes));
            return;
        }
        chain.doFilter(new Limited(request, limitBytes), response);
    }

    private static String detail(long limitBytes) {
        return "The body may have up to " + limitBytes + " bytes.";
    }

    private static final class Limited extends HttpServletRequestWrapper {
        private final long limitBytes;

        Limited(HttpServletRequest request, long limitBytes) {
            super(request);
            this.limitBytes = limitBytes;
        }

        @Override
        public ServletInputStream getInputStream() throws IOException {
            return new CountingInputStream(
                    super.getInputStream(),
                    limitBytes,
                    () -> new ApiException(ErrorCode.PAYLOAD_TOO_LARGE, detail(limitBytes)));
        }
    }
}
