package io.gpusnap.service.security;

import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.problem.ProblemWriter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.springframework.http.HttpHeaders;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.core.AuthenticationException;
import org.springframework.security.web.AuthenticationEntryPoint;
import org.springframework.security.web.access.AccessDeniedHandler;

/** 401 and 403 as problems. */
final class AuthenticationProblems implements AuthenticationEntryPoint, AccessDeniedHandler {
    private static final String CAUSE = AuthenticationProblems.class.getName();

    private final ProblemWriter problems;

    AuthenticationProblems(ProblemWriter problems) {
        this.problems = problems;
    }

    private record Cause(ErrorCode code, String detail) {}

    static void because(HttpServletRequest request, ErrorCode code, String detail) {
        request.setAttribute(CAUSE, new Cause(code, detail));
    }

    @Override
    public void commence(HttpServletRequest request, HttpServletResponse response, AuthenticationException e)
            throws IOException {
        response.setHeader(HttpHeaders.WWW_AUTHENTICATE, "Bearer realm=\"gpusnap\"");
        if (request.getAttribute(CAUSE) instanceof Cause cause) {
            problems.write(request, response, cause.code(), cause.detail());
        } else {
            problems.write(
                    request, response, ErrorCode.UNAUTHENTICATED, "The Authorization header has no bearer token.");
        }
    }

    @Override
    public void handle(HttpServletRequest request, HttpServletResponse response, AccessDeniedException e)
            throws IOException {
        problems.write(
                request,
                response,
                ErrorCode.FORBIDDEN,
                request.getRequestURI().startsWith("/node/")
                        ? "Daemons call this with their session token; a registration takes the access token."
                        : "A daemon's session token is not for this address.");
    }
}
