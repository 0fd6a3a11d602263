package io.gpusnap.service.kubernetes.admission;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Objects;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/** Gives each new connection the key of the moment, so that a rotation ends none. */
final class CurrentKey extends X509ExtendedKeyManager {
    private static final String ALIAS = "webhook";

    private volatile @Nullable KeyPairAndChain current;

    void set(KeyPairAndChain next) {
        current = next;
    }

    @Nullable
    KeyPairAndChain get() {
        return current;
    }

    @Override
    public String[] getServerAliases(String keyType, Principal @Nullable [] issuers) {
        return new String[] {ALIAS};
    }

    @Override
    public String chooseServerAlias(String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return ALIAS;
    }

    @Override
    public String chooseEngineServerAlias(String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
        return ALIAS;
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
        KeyPairAndChain now = Objects.requireNonNull(current);
        return new X509Certificate[] {now.certificate(), now.authority()};
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
        return Objects.requireNonNull(current).key();
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
        return null;
    }

    @Override
    public @Nullable String chooseClientAlias(
            String[] keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return null;
    }
}
