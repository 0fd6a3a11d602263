package io.gpusnap.service.security;

import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.problem.ProblemWriter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import org.springframework.dao.DataAccessException;
import org.springframework.http.HttpHeaders;
import org.springframework.security.core.context.SecurityContext;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.transaction.CannotCreateTransactionException;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Tells who calls. It refuses nobody itself: open addresses stay open whatever token comes along, and
 * {@link AuthenticationProblems} answers where one is needed.
 */
final class BearerTokenFilter extends OncePerRequestFilter {
    private static final String SCHEME = "bearer ";

    private final AccessToken accessToken;
    private final NodeSessions sessions;
    private final ProblemWriter problems;

    BearerTokenFilter(AccessToken accessToken, NodeSessions sessions, ProblemWriter problems) {
        this.accessToken = accessToken;
        this.sessions = sessions;
        this.problems = problems;
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        String header = request.getHeader(HttpHeaders.AUTHORIZATION);
        if (header != null && header.toLowerCase(Locale.ROOT).startsWith(SCHEME)) {
            try {
                authenticate(request, header.substring(SCHEME.length()).strip());
            } catch (DataAccessException | CannotCreateTransactionException e) {
                // Nobody maps exceptions out here, before the controllers.
                problems.writeDatabaseUnavailable(request, response, e);
                return;
            }
        }
        chain.doFilter(request, response);
    }

    private void authenticate(HttpServletRequest request, String token) {
        Optional<NodeSessionToken> session = NodeSessionToken.parse(token);
        if (session.isPresent()) {
            switch (sessions.check(session.get())) {
                case NodeSessions.Valid valid -> remember(CallerToken.node(valid.caller()));
                case NodeSessions.Stale stale ->
                    AuthenticationProblems.because(
                            request,
                            ErrorCode.STALE_SESSION,
                            "Epoch " + session.get().epoch() + " is over.");
                case NodeSessions.Unknown unknown ->
                    AuthenticationProblems.because(request, ErrorCode.UNAUTHENTICATED, "The token is not known.");
            }
        } else if (accessToken.matches(token)) {
            remember(CallerToken.operator());
        } else {
            AuthenticationProblems.because(request, ErrorCode.UNAUTHENTICATED, "The token is not known.");
        }
    }

    private static void remember(CallerToken caller) {
        SecurityContext context = SecurityContextHolder.createEmptyContext();
        context.setAuthentication(caller);
        SecurityContextHolder.setContext(context);
    }
}
