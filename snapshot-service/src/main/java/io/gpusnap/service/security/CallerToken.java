package io.gpusnap.service.security;

import java.io.Serial;
import java.util.List;
import org.springframework.security.authentication.AbstractAuthenticationToken;
import org.springframework.security.core.authority.SimpleGrantedAuthority;

/** Spring Security's view of a proven caller. */
final class CallerToken extends AbstractAuthenticationToken {
    static final String OPERATOR = "OPERATOR";
    static final String NODE = "NODE";

    @Serial
    private static final long serialVersionUID = 1;

    private final transient Object principal;

    private CallerToken(Object principal, String authority) {
        super(List.of(new SimpleGrantedAuthority(authority)));
        this.principal = principal;
        setAuthenticated(true);
    }

    static CallerToken operator() {
        return new CallerToken("operator", OPERATOR);
    }

    static CallerToken node(NodeCaller caller) {
        return new CallerToken(caller, NODE);
    }

    @Override
    public Object getCredentials() {
        return "";
    }

    @Override
    public Object getPrincipal() {
        return principal;
    }
}
