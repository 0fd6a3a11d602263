package io.gpusnap.service.kubernetes.admission;

import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;

/**
 * What the webhook serves with.
 *
 * @param authority that has signed the certificate; callers trust it
 */
record KeyPairAndChain(PrivateKey key, X509Certificate certificate, X509Certificate authority) {

    boolean endsBefore(Instant time) {
        return certificate.getNotAfter().toInstant().isBefore(time);
    }
}
