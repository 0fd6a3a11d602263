package io.gpusnap.node.tier.key;

import io.gpusnap.node.store.SnapshotId;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Signs manifests by Ed25519, and says whether a signature is one of those that this node trusts. What is signed names the tenant
 * and the snapshot, so a manifest that is good for one is of no use for another.
 */
public final class ManifestSigner {

    public static final int SIGNATURE_BYTES = 64;
    private static final int ID_DIGITS = 16;
    private static final Pattern PEM =
            Pattern.compile("-----BEGIN (PRIVATE|PUBLIC) KEY-----([A-Za-z0-9+/=\\s]+)-----END \\1 KEY-----");

    private final String tenant;
    private final Optional<PrivateKey> key;
    private final List<PublicKey> trusted;

    private ManifestSigner(String tenant, Optional<PrivateKey> key, List<PublicKey> trusted) {
        this.tenant = tenant;
        this.key = key;
        this.trusted = trusted;
    }

    /** Neither signs nor asks for signatures. */
    public static ManifestSigner none() {
        return new ManifestSigner("", Optional.empty(), List.of());
    }

    /**
     * @param privatePem PKCS#8 as {@code openssl genpkey -algorithm ed25519} makes it; empty: nothing is signed
     * @param trustedPems public keys; empty: unsigned manifests are taken as well
     * @throws IllegalArgumentException when there is no such key in it; the message does not repeat it
     */
    public static ManifestSigner of(String tenant, Optional<String> privatePem, Optional<String> trustedPems) {
        try {
            KeyFactory factory = KeyFactory.getInstance("Ed25519");
            Optional<PrivateKey> key = Optional.empty();
            if (privatePem.isPresent()) {
                List<byte[]> found = pems(privatePem.get(), "PRIVATE");
                if (found.size() != 1) {
                    throw new IllegalArgumentException("there is not one private key in it");
                }
                key = Optional.of(factory.generatePrivate(new PKCS8EncodedKeySpec(found.getFirst())));
            }
            List<PublicKey> trusted = new ArrayList<>();
            if (trustedPems.isPresent()) {
                for (byte[] encoded : pems(trustedPems.get(), "PUBLIC")) {
                    trusted.add(factory.generatePublic(new X509EncodedKeySpec(encoded)));
                }
                if (trusted.isEmpty()) {
                    throw new IllegalArgumentException("there is no public key in it");
                }
            }
            return new ManifestSigner(tenant, key, List.copyOf(trusted));
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("it is no Ed25519 key", e);
        }
    }

    private static List<byte[]> pems(String text, String kind) {
        List<byte[]> found = new ArrayList<>();
        Matcher pem = PEM.matcher(text);
        while (pem.find()) {
            if (pem.group(1).equals(kind)) {
                found.add(Base64.getMimeDecoder().decode(pem.group(2)));
            }
        }
        return found;
    }

    /** Empty when this node signs nothing. */
    public Optional<byte[]> sign(SnapshotId snapshot, byte[] manifest) {
        return key.map(signing -> {
            try {
                Signature signature = Signature.getInstance("Ed25519");
                signature.initSign(signing);
                update(signature, snapshot, manifest);
                return signature.sign();
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("every Java platform has Ed25519", e);
            }
        });
    }

    /** Whose signatures are taken, by the ids of their keys; empty: nobody is asked for one. */
    public List<String> trustedIds() {
        return trusted.stream().map(ManifestSigner::idOf).toList();
    }

    /** The id of the key that signs; empty when this node signs nothing, or does not trust itself: then it cannot be told. */
    public Optional<String> signingId() {
        SnapshotId probe = SnapshotId.random();
        byte[] content = new byte[0];
        return sign(probe, content)
                .flatMap(own -> trusted.stream()
                        .filter(one -> verifies(one, probe, content, own))
                        .findFirst()
                        .map(ManifestSigner::idOf));
    }

    /** Of a public key: no secret, and short enough for people to compare. */
    private static String idOf(PublicKey key) {
        return HexFormat.of()
                .formatHex(Macs.of("gpusnap signer".getBytes(StandardCharsets.US_ASCII), key.getEncoded()))
                .substring(0, ID_DIGITS);
    }

    /** Whether manifests must be signed to be taken. */
    public boolean asksForSignatures() {
        return !trusted.isEmpty();
    }

    /** Whether somebody whom this node trusts has signed it, for this tenant. */
    public boolean trusts(SnapshotId snapshot, byte[] manifest, byte[] found) {
        if (found.length != SIGNATURE_BYTES) {
            return false;
        }
        return trusted.stream().anyMatch(one -> verifies(one, snapshot, manifest, found));
    }

    private boolean verifies(PublicKey key, SnapshotId snapshot, byte[] manifest, byte[] found) {
        try {
            Signature signature = Signature.getInstance("Ed25519");
            signature.initVerify(key);
            update(signature, snapshot, manifest);
            return signature.verify(found);
        } catch (GeneralSecurityException e) {
            return false; // as good as none
        }
    }

    private void update(Signature signature, SnapshotId snapshot, byte[] manifest) throws GeneralSecurityException {
        signature.update(
                "gpusnap manifest\n%s\n%s\n".formatted(tenant, snapshot).getBytes(StandardCharsets.UTF_8));
        signature.update(manifest);
    }
}
