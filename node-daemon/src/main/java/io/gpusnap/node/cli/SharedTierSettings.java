package io.gpusnap.node.cli;

import io.gpusnap.node.config.PeerNetSettings;
import io.gpusnap.node.config.S3Credentials;
import io.gpusnap.node.config.S3Encryption;
import io.gpusnap.node.config.SecretToken;
import io.gpusnap.node.config.Secrets;
import io.gpusnap.node.config.TierCompression;
import io.gpusnap.node.config.TierKeySettings;
import io.gpusnap.node.config.TierSettings;
import io.gpusnap.node.config.VaultSettings;
import io.gpusnap.node.engine.SharedTiers;
import io.gpusnap.node.engine.TierKeys;
import io.gpusnap.node.peer.PeerSettings;
import io.gpusnap.node.tier.key.KeyProvider;
import io.gpusnap.node.tier.key.KeyRing;
import io.gpusnap.node.tier.key.ManifestSigner;
import io.gpusnap.node.tier.key.VaultKey;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.pack.Compression;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.s3.AddressRules;
import io.gpusnap.node.tier.s3.S3Settings;
import java.util.Optional;

/** From settings to what the tiers take. */
final class SharedTierSettings {

    private SharedTierSettings() {}

    static SharedTiers of(TierSettings settings) throws CommandException {
        return new SharedTiers(
                settings.nfs()
                        .map(nfs -> new SharedTiers.Nfs(
                                new PackSettings(nfs.name(), settings.packBytes()),
                                NfsSettings.of(nfs.root(), nfs.deadline()))),
                settings.s3()
                        .map(s3 -> new SharedTiers.S3(new PackSettings(s3.name(), settings.packBytes()), store(s3))),
                settings.maxBytesPerSecond().orElse(0L),
                settings.standStill(),
                keys(settings.keys()),
                peers(settings));
    }

    private static PeerSettings peers(TierSettings settings) {
        PeerNetSettings peers = settings.peers();
        return new PeerSettings(
                peers.listen(),
                peers.address(),
                settings.keys().tenant(),
                peers.connections(),
                peers.maxBytesPerSecond().orElse(0L),
                peers.timeout(),
                peers.bufferBytes());
    }

    private static Compression compression(TierCompression wanted) {
        return switch (wanted) {
            case OFF -> Compression.OFF;
            case ZSTD -> Compression.ZSTD;
            case PLANES -> Compression.PLANES;
        };
    }

    private static TierKeys keys(TierKeySettings keys) throws CommandException {
        try {
            return new TierKeys(
                    keys.tenant(),
                    keys.sharingGroup(),
                    compression(keys.compression()),
                    provider(keys),
                    ManifestSigner.of(keys.tenant(), keys.signingKey().map(SecretToken::value), keys.trustedKeys()),
                    keys.encryptNvme(),
                    keys.compressNvme());
        } catch (IllegalArgumentException e) {
            throw new CommandException(
                    ExitCode.USAGE,
                    "CONFIGURATION",
                    "tiers.signingKeyFile or tiers.trustedKeysFile cannot be used: " + e.getMessage(),
                    "openssl genpkey -algorithm ed25519 makes a key, openssl pkey -pubout its public half");
        }
    }

    /** A service's key wraps where there is one; keys of the file unwrap what they have wrapped before. */
    private static Optional<KeyProvider> provider(TierKeySettings keys) {
        Optional<KeyProvider> file = keys.key().map(key -> KeyRing.ofHex(key.value()));
        Optional<KeyProvider> service = keys.vault().map(SharedTierSettings::vault);
        return service.isPresent() && file.isPresent()
                ? Optional.of(KeyRing.of(service.get(), file.get()))
                : service.or(() -> file);
    }

    private static VaultKey vault(VaultSettings vault) {
        return new VaultKey(
                new VaultKey.Settings(vault.address(), vault.mount(), vault.key(), vault.timeout()),
                () -> Secrets.read(vault.tokenSource()).strip());
    }

    private static S3Settings store(TierSettings.S3 s3) {
        return new S3Settings(
                s3.bucket(),
                s3.prefix(),
                s3.endpoint(),
                s3.region(),
                AddressRules.allowing(s3.allowedAddresses()),
                s3.credentials().map(SharedTierSettings::credentials),
                s3.pathStyle(),
                s3.checksums() ? S3Settings.Checksums.WHEN_SUPPORTED : S3Settings.Checksums.WHEN_REQUIRED,
                encryption(s3.encryption()),
                (int) s3.partBytes(),
                s3.connections(),
                s3.timeout(),
                s3.attempts());
    }

    private static S3Settings.Credentials credentials(S3Credentials known) {
        return new S3Settings.Credentials(
                known.accessKeyId(),
                known.secretAccessKey().value(),
                known.sessionToken().map(token -> token.value()));
    }

    private static S3Settings.Encryption encryption(S3Encryption encryption) {
        if (!encryption.requested()) {
            return new S3Settings.Encryption.None();
        }
        return encryption
                .kmsKey()
                .<S3Settings.Encryption>map(S3Settings.Encryption.KmsKey::new)
                .orElseGet(S3Settings.Encryption.StoreKey::new);
    }
}
