package io.gpusnap.node.peer;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.X509TrustManager;

/**
 * The key that this daemon has for as long as it runs, and a certificate that it signed itself. Nobody trusts the certificate
 * for what it says: the service tells the others its digest. So there are no certificates to hand out or to renew.
 *
 * @param digest SHA-256 of the certificate, lower-case hex
 */
record NodeCertificate(PrivateKey key, X509Certificate certificate, String digest) {

    /** Dates are not looked at; these are always valid, whatever the clock says. */
    private static final Instant NOT_BEFORE = Instant.parse("2000-01-01T00:00:00Z");

    private static final Instant NOT_AFTER = Instant.parse("9999-12-31T23:59:59Z");
    private static final String ECDSA_WITH_SHA256 = "06082a8648ce3d040302";
    private static final String COMMON_NAME = "0603550403";

    static NodeCertificate make() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            KeyPair pair = generator.generateKeyPair();
            byte[] algorithm = Der.sequence(HexFormat.of().parseHex(ECDSA_WITH_SHA256));
            byte[] name = Der.sequence(Der.set(Der.sequence(
                    HexFormat.of().parseHex(COMMON_NAME),
                    Der.of(0x0c, "gpusnap node".getBytes(StandardCharsets.US_ASCII)))));
            byte[] body = Der.sequence(
                    Der.of(0xa0, Der.of(0x02, new byte[] {2})), // version 3
                    Der.of(0x02, new BigInteger(127, new SecureRandom()).toByteArray()),
                    algorithm,
                    name,
                    Der.sequence(date(NOT_BEFORE), date(NOT_AFTER)),
                    name,
                    pair.getPublic().getEncoded());
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(pair.getPrivate());
            signature.update(body);
            byte[] encoded = Der.sequence(body, algorithm, Der.bits(signature.sign()));
            X509Certificate certificate = (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(encoded));
            return new NodeCertificate(pair.getPrivate(), certificate, digest(certificate));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK can make an EC key and read a certificate", e);
        }
    }

    private static byte[] date(Instant moment) {
        String text = DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'")
                .withZone(ZoneOffset.UTC)
                .format(moment);
        return Der.of(0x18, text.getBytes(StandardCharsets.US_ASCII));
    }

    static String digest(Certificate certificate) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a certificate that was read can be written", e);
        }
    }

    /** @param trust what is asked of the other side's certificate */
    SSLContext context(X509TrustManager trust) {
        try {
            char[] none = new char[0];
            KeyStore keys = KeyStore.getInstance("PKCS12");
            keys.load(null, none);
            keys.setKeyEntry("node", key, none, new Certificate[] {certificate});
            KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            managers.init(keys, none);
            SSLContext context = SSLContext.getInstance("TLSv1.3");
            context.init(managers.getKeyManagers(), new X509TrustManager[] {trust}, null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("every JDK speaks TLS 1.3", e);
        }
    }
}
