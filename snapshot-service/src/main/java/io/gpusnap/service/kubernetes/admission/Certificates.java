package io.gpusnap.service.kubernetes.admission;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.regex.Pattern;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * Makes a certificate with an authority of its own, whose key is thrown away: whoever trusts the authority trusts this one
 * certificate and no other. Reads and writes PEM.
 */
final class Certificates {
    private static final String CURVE = "secp256r1";
    private static final String SIGNATURE = "SHA256withECDSA";
    private static final Duration BACKDATED = Duration.ofHours(1);
    private static final int SERIAL_BITS = 120;
    private static final Pattern IP = Pattern.compile("[0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*");
    private static final SecureRandom RANDOM = new SecureRandom();

    private Certificates() {}

    /** @param hosts DNS names and addresses that it is for */
    static KeyPairAndChain issue(List<String> hosts, Duration validity, Instant now) {
        try {
            KeyPairGenerator keys = KeyPairGenerator.getInstance("EC");
            keys.initialize(new ECGenParameterSpec(CURVE), RANDOM);
            KeyPair authorityKeys = keys.generateKeyPair();
            KeyPair serverKeys = keys.generateKeyPair();
            // of another name each time: an old and a new authority can be trusted side by side
            X500Name authorityName = new X500Name("CN=gpusnap webhook authority " + serial().toString(36));
            JcaX509v3CertificateBuilder authority = builder(authorityName, authorityName, authorityKeys, validity, now);
            authority.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
            authority.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign));
            JcaX509v3CertificateBuilder server =
                    builder(authorityName, new X500Name("CN=gpusnap webhook"), serverKeys, validity, now);
            server.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            server.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
            server.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(KeyPurposeId.id_kp_serverAuth));
            server.addExtension(
                    Extension.subjectAlternativeName,
                    false,
                    new GeneralNames(hosts.stream()
                            .map(host -> new GeneralName(
                                    IP.matcher(host).matches() ? GeneralName.iPAddress : GeneralName.dNSName, host))
                            .toArray(GeneralName[]::new)));
            return new KeyPairAndChain(
                    serverKeys.getPrivate(), sign(server, authorityKeys), sign(authority, authorityKeys));
        } catch (GeneralSecurityException | CertIOException | OperatorCreationException e) {
            throw new IllegalStateException("cannot make a certificate", e);
        }
    }

    private static JcaX509v3CertificateBuilder builder(
            X500Name issuer, X500Name subject, KeyPair keys, Duration validity, Instant now) {
        return new JcaX509v3CertificateBuilder(
                issuer,
                serial(),
                Date.from(now.minus(BACKDATED)),
                Date.from(now.plus(validity)),
                subject,
                keys.getPublic());
    }

    private static BigInteger serial() {
        return new BigInteger(SERIAL_BITS, RANDOM).setBit(0);
    }

    private static X509Certificate sign(JcaX509v3CertificateBuilder certificate, KeyPair by)
            throws OperatorCreationException, GeneralSecurityException {
        return new JcaX509CertificateConverter()
                .getCertificate(certificate.build(new JcaContentSignerBuilder(SIGNATURE).build(by.getPrivate())));
    }

    /**
     * The authorities to trust from now on: the current one, and of those before the newest if it has not ended yet.
     *
     * @param before bundle that was trusted so far, newest first; what is none counts as empty
     */
    static byte[] bundle(X509Certificate current, byte[] before, Instant now) {
        ByteArrayOutputStream bundle = new ByteArrayOutputStream();
        bundle.writeBytes(pem(current));
        readAll(before).stream()
                .filter(one -> !one.equals(current))
                .filter(one -> one.getNotAfter().toInstant().isAfter(now))
                .findFirst()
                .ifPresent(one -> bundle.writeBytes(pem(one)));
        return bundle.toByteArray();
    }

    private static List<X509Certificate> readAll(byte[] bundle) {
        try (ByteArrayInputStream pem = new ByteArrayInputStream(bundle)) {
            return CertificateFactory.getInstance("X.509").generateCertificates(pem).stream()
                    .map(X509Certificate.class::cast)
                    .toList();
        } catch (GeneralSecurityException | IOException e) {
            return List.of();
        }
    }

    static byte[] pem(X509Certificate certificate) {
        try {
            return pem("CERTIFICATE", certificate.getEncoded());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    static byte[] pem(PrivateKey key) {
        return pem("PRIVATE KEY", key.getEncoded());
    }

    private static byte[] pem(String type, byte[] der) {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return ("-----BEGIN " + type + "-----\n" + body + "\n-----END " + type + "-----\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    /** @throws GeneralSecurityException if one of them cannot be read */
    static KeyPairAndChain read(byte[] key, byte[] certificate, byte[] authority) throws GeneralSecurityException {
        String body = new String(key, StandardCharsets.US_ASCII).replaceAll("-----[A-Z ]+-----", "");
        try (ByteArrayInputStream own = new ByteArrayInputStream(certificate);
                ByteArrayInputStream signer = new ByteArrayInputStream(authority)) {
            CertificateFactory x509 = CertificateFactory.getInstance("X.509");
            return new KeyPairAndChain(
                    KeyFactory.getInstance("EC")
                            .generatePrivate(new PKCS8EncodedKeySpec(
                                    Base64.getMimeDecoder().decode(body))),
                    (X509Certificate) x509.generateCertificate(own),
                    (X509Certificate) x509.generateCertificate(signer));
        } catch (IOException | IllegalArgumentException e) {
            throw new GeneralSecurityException(e);
        }
    }
}
