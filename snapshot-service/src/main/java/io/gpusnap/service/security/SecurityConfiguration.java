package io.gpusnap.service.security;

import io.gpusnap.service.platform.config.DataDirectory;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.problem.ProblemWriter;
import jakarta.servlet.DispatcherType;
import java.util.List;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpMethod;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configuration.EnableWebSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.authentication.AnonymousAuthenticationFilter;
import org.springframework.security.web.firewall.RequestRejectedHandler;
import org.springframework.web.method.support.HandlerMethodArgumentResolver;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/** Who may call what. The operator may call everything but the daemons' addresses, a daemon only those. */
@Configuration(proxyBeanMethods = false)
@EnableWebSecurity
@EnableConfigurationProperties(SecuritySettings.class)
class SecurityConfiguration implements WebMvcConfigurer {
    /** Open: they say nothing about what is stored here. */
    private static final String[] OPEN = {
        "/actuator/health",
        "/actuator/health/**",
        "/swagger-ui.html",
        "/swagger-ui/**",
        "/v3/api-docs",
        "/v3/api-docs/**",
        "/v3/api-docs.yaml",
        "/v3/api-docs.yaml/**",
        "/errors/**"
    };

    @Bean
    AccessToken accessToken(SecuritySettings settings, DataDirectory directory) {
        return AccessToken.in(
                settings.accessTokenFile() == null ? directory.resolve("access-token") : settings.accessTokenFile());
    }

    @Bean
    SecurityFilterChain securityFilterChain(
            HttpSecurity http, AccessToken accessToken, NodeSessions sessions, ProblemWriter writer) {
        AuthenticationProblems problems = new AuthenticationProblems(writer);
        return http
                // No cookies, so nothing that another site could make a browser send along.
                .csrf(AbstractHttpConfigurer::disable)
                .sessionManagement(session -> session.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
                .requestCache(AbstractHttpConfigurer::disable)
                .logout(AbstractHttpConfigurer::disable)
                .exceptionHandling(
                        handling -> handling.authenticationEntryPoint(problems).accessDeniedHandler(problems))
                .addFilterBefore(
                        new BearerTokenFilter(accessToken, sessions, writer), AnonymousAuthenticationFilter.class)
                .authorizeHttpRequests(rules -> rules.dispatcherTypeMatchers(DispatcherType.ERROR)
                        .permitAll()
                        .requestMatchers(HttpMethod.GET, OPEN)
                        .permitAll()
                        .requestMatchers(HttpMethod.POST, "/node/v1/nodes")
                        .hasAuthority(CallerToken.OPERATOR)
                        .requestMatchers("/node/**")
                        .hasAuthority(CallerToken.NODE)
                        .anyRequest()
                        .hasAuthority(CallerToken.OPERATOR))
                .build();
    }

    @Bean
    RequestRejectedHandler requestRejectedHandler(ProblemWriter writer) {
        return (request, response, e) ->
                writer.write(request, response, ErrorCode.INVALID_REQUEST, "The address has a form that is not taken.");
    }

    @Override
    public void addArgumentResolvers(List<HandlerMethodArgumentResolver> resolvers) {
        resolvers.add(new NodeCallerResolver());
    }
}
