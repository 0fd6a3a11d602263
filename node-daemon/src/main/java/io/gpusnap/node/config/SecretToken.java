package io.gpusnap.node.config;

/** An access token. Its text form hides it, so that no log or error can tell it. */
public record SecretToken(String value) {

    @Override
    public String toString() {
        return "***";
    }
}
