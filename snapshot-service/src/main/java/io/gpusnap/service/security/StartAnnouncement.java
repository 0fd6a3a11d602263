package io.gpusnap.service.security;

import java.io.Console;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.event.EventListener;
import org.springframework.core.env.Environment;
import org.springframework.stereotype.Component;

/**
 * Tells the person at the terminal how to go on. It prints instead of logging: logs are collected, and the token must not
 * be in them. Nor in what the output goes to when it is no terminal.
 */
@Component
class StartAnnouncement {
    private final AccessToken token;
    private final Environment environment;

    StartAnnouncement(AccessToken token, Environment environment) {
        this.token = token;
        this.environment = environment;
    }

    @EventListener
    void ready(ApplicationReadyEvent event) {
        if (event.getApplicationContext() instanceof WebServerApplicationContext web && web.getWebServer() != null) {
            String host = environment.getProperty("server.address", "127.0.0.1");
            String scheme = Tls.isOn(environment, "server.ssl") ? "https" : "http";
            System.out.println(token.announcement(isTerminal()));
            System.out.println("Swagger UI:   " + scheme + "://" + host + ":"
                    + web.getWebServer().getPort() + "/swagger-ui.html");
        }
    }

    private static boolean isTerminal() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }
}
