package io.gpusnap.node.peer;

import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Optional;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Trusts one certificate and no authority. Whoever serves takes any certificate here: that the other side has its key TLS proves,
 * and whose it has to be the token says.
 */
final class PinnedTrust extends X509ExtendedTrustManager {

    private final Optional<String> digest;

    private PinnedTrust(Optional<String> digest) {
        this.digest = digest;
    }

    /** @param digest SHA-256 of the only one, lower-case hex */
    static PinnedTrust only(String digest) {
        return new PinnedTrust(Optional.of(digest));
    }

    /** Any: the token decides. */
    static PinnedTrust any() {
        return new PinnedTrust(Optional.empty());
    }

    private void check(X509Certificate[] chain) throws CertificateException {
        if (chain.length != 1) {
            throw new CertificateException("one certificate is expected, there are " + chain.length);
        }
        if (digest.isPresent()
                && !MessageDigest.isEqual(
                        digest.get().getBytes(StandardCharsets.US_ASCII),
                        NodeCertificate.digest(chain[0]).getBytes(StandardCharsets.US_ASCII))) {
            throw new CertificateException("the peer has another certificate than the service tells of");
        }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        check(chain);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
    }
}
