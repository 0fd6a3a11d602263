package io.gpusnap.node.config;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Turns the texts about shared tiers into their record. */
final class TierSettingsReader {

    private static final String NAME = "[a-z0-9][a-z0-9-]{0,62}";
    private static final List<String> TAKEN = List.of("memory", "nvme", "peer");
    private static final long MIB = 1L << 20;

    private final SettingsReader reader;

    TierSettingsReader(SettingsReader reader) {
        this.reader = reader;
    }

    TierSettings read() {
        return new TierSettings(
                nfs(),
                s3(),
                reader.value(Setting.TIERS_PACK_BYTES, text -> size(text, 16, 256), () -> 64 * MIB),
                reader.optional(Setting.TIERS_MAX_BYTES_PER_SECOND, text -> size(text, 1, 1 << 20)),
                reader.value(
                        Setting.TIERS_STAND_STILL_SECONDS,
                        text -> Duration.ofSeconds(SettingsReader.number(text, 1, 86_400)),
                        () -> Duration.ofHours(1)),
                keys(),
                peers());
    }

    private PeerNetSettings peers() {
        Optional<InetSocketAddress> listen =
                reader.value(Setting.PEERS_LISTEN, SettingsReader::listenAddress, Optional::empty);
        Optional<String> address = reader.optional(Setting.PEERS_ADDRESS, TierSettingsReader::reachable);
        if (listen.isPresent()
                && listen.get().getAddress().isAnyLocalAddress()
                && !reader.isSet(Setting.PEERS_ADDRESS)) {
            reader.problem("peers.listen is every address of this machine: set peers.address to the host and port "
                    + "under which the other nodes reach it");
        }
        return new PeerNetSettings(
                listen,
                address,
                reader.value(Setting.PEERS_CONNECTIONS, text -> SettingsReader.number(text, 1, 256), () -> 16),
                reader.optional(Setting.PEERS_MAX_BYTES_PER_SECOND, text -> size(text, 1, 1 << 20)),
                reader.value(
                        Setting.PEERS_TIMEOUT_SECONDS,
                        text -> Duration.ofSeconds(SettingsReader.number(text, 1, 60)),
                        () -> Duration.ofSeconds(10)),
                reader.value(Setting.PEERS_BUFFER_BYTES, text -> size(text, 32, 16 << 10), () -> 256 * MIB));
    }

    /** Where a pod's address and a port are put together, IPv6 comes without brackets. */
    private static String reachable(String text) {
        if (text.matches("[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9]{1,5}")) {
            int port = text.lastIndexOf(':');
            return "[" + text.substring(0, port) + "]" + text.substring(port);
        }
        if (!text.matches("([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.%]+]):[0-9]{1,5}")) {
            throw new IllegalArgumentException("write it like gpu-node-7.example.org:9465");
        }
        return text;
    }

    private TierKeySettings keys() {
        boolean encryptNvme = reader.value(Setting.NVME_ENCRYPT, TierSettingsReader::yesOrNo, () -> false);
        boolean byVault = reader.value(Setting.TIERS_KEY_PROVIDER, TierSettingsReader::isVault, () -> false);
        if (encryptNvme && !byVault && !reader.isSet(Setting.TIERS_KEY_FILE)) {
            reader.problem("nvme.encrypt takes a key: set tiers.keyFile, or nvme.encrypt = false");
        }
        if (reader.isSet(Setting.TIERS_SHARING_GROUP) && !byVault && !reader.isSet(Setting.TIERS_KEY_FILE)) {
            reader.problem(
                    "tiers.sharingGroup takes a key: set tiers.keyFile; what is not encrypted is shared by everybody");
        }
        return new TierKeySettings(
                reader.value(Setting.TIERS_TENANT, TierSettingsReader::tenant, () -> "default"),
                reader.optional(Setting.TIERS_SHARING_GROUP, TierSettingsReader::tenant),
                reader.value(Setting.TIERS_COMPRESS, TierSettingsReader::compression, () -> TierCompression.OFF),
                reader.optional(Setting.TIERS_KEY_FILE, text -> key(content(text))),
                vault(byVault),
                reader.optional(Setting.TIERS_SIGNING_KEY_FILE, text -> new SecretToken(content(text))),
                reader.optional(Setting.TIERS_TRUSTED_KEYS_FILE, TierSettingsReader::content),
                encryptNvme,
                reader.value(Setting.NVME_COMPRESS, TierSettingsReader::yesOrNo, () -> false));
    }

    private Optional<VaultSettings> vault(boolean wanted) {
        Optional<URI> address = reader.optional(Setting.VAULT_ADDRESS, TierSettingsReader::vaultAddress);
        String mount = reader.value(Setting.VAULT_MOUNT, text -> path(text, "transit"), () -> "transit");
        Optional<String> key = reader.optional(Setting.VAULT_KEY, TierSettingsReader::vaultKey);
        Optional<String> token = reader.optional(Setting.VAULT_TOKEN_FILE, TierSettingsReader::readable);
        Duration timeout = reader.value(
                Setting.VAULT_TIMEOUT_SECONDS,
                text -> Duration.ofSeconds(SettingsReader.number(text, 1, 60)),
                () -> Duration.ofSeconds(10));
        for (Setting needed : List.of(Setting.VAULT_ADDRESS, Setting.VAULT_KEY, Setting.VAULT_TOKEN_FILE)) {
            if (wanted && !reader.isSet(needed)) {
                reader.problem("tiers.keyProvider = vault needs " + needed.key());
            }
            if (!wanted && reader.isSet(needed)) {
                reader.problem(needed.key() + " is of no use without tiers.keyProvider = vault");
            }
        }
        return address.flatMap(
                where -> key.flatMap(name -> token.map(from -> new VaultSettings(where, mount, name, from, timeout))));
    }

    private static TierCompression compression(String text) {
        return switch (text.strip()) {
            case "false" -> TierCompression.OFF;
            case "true" -> TierCompression.ZSTD;
            case "planes" -> TierCompression.PLANES;
            default -> throw new IllegalArgumentException("write false, true or planes");
        };
    }

    private static boolean isVault(String text) {
        return switch (text.strip()) {
            case "file" -> false;
            case "vault" -> true;
            default -> throw new IllegalArgumentException("write file or vault");
        };
    }

    private static URI vaultAddress(String text) {
        URI uri = URI.create(text);
        boolean here = Set.of("127.0.0.1", "[::1]", "localhost").contains(String.valueOf(uri.getHost()));
        boolean safe = "https".equals(uri.getScheme()) || "http".equals(uri.getScheme()) && here;
        if (!safe
                || uri.getHost() == null
                || uri.getUserInfo() != null
                || !String.valueOf(uri.getPath()).matches("/?")) {
            throw new IllegalArgumentException(
                    "write it like https://vault.example.org:8200; a token goes by http:// on this machine only");
        }
        return uri;
    }

    private static String vaultKey(String text) {
        if (!text.matches("[A-Za-z0-9._-]{1,200}")) {
            throw new IllegalArgumentException("a key's name is of letters, digits, dots and dashes");
        }
        return text;
    }

    private static String path(String text, String example) {
        if (!text.matches("[A-Za-z0-9_-]{1,100}(/[A-Za-z0-9_-]{1,100}){0,9}")) {
            throw new IllegalArgumentException("write it like " + example);
        }
        return text;
    }

    /** Only to say at the start what would be said later: it may be another one by then. */
    private static String readable(String source) {
        TokenSource.check(content(source).strip());
        return source;
    }

    private static String tenant(String text) {
        if (!text.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,99}")) {
            throw new IllegalArgumentException("a name of tenants is of letters, digits, dots and dashes");
        }
        return text;
    }

    private static SecretToken key(String text) {
        if (!text.strip().matches("[0-9a-fA-F]{64}(\\s+[0-9a-fA-F]{64})*")) {
            throw new IllegalArgumentException(
                    "a key is 64 hex digits, one a line: openssl rand -hex 32 makes one; the first wraps, the others only"
                            + " unwrap");
        }
        return new SecretToken(text.strip().replaceAll("\\s+", "\n"));
    }

    /** Of a file, or of a variable of the environment: {@code env:NAME}. */
    private static String content(String text) {
        try {
            return Secrets.read(text);
        } catch (IOException e) {
            throw new IllegalArgumentException("it cannot be read (" + e.getMessage() + ")");
        }
    }

    private Optional<TierSettings.Nfs> nfs() {
        String name = reader.value(Setting.NFS_NAME, TierSettingsReader::name, () -> "nfs");
        Duration deadline = reader.value(
                Setting.NFS_DEADLINE_SECONDS,
                text -> Duration.ofSeconds(SettingsReader.number(text, 1, 3600)),
                () -> Duration.ofSeconds(30));
        Optional<Path> root = reader.optional(Setting.NFS_ROOT, SettingsReader::absolute);
        return root.map(path -> new TierSettings.Nfs(name, path, deadline));
    }

    private Optional<TierSettings.S3> s3() {
        Optional<URI> endpoint = reader.optional(Setting.S3_ENDPOINT, TierSettingsReader::endpoint);
        String name = reader.value(Setting.S3_NAME, TierSettingsReader::s3Name, () -> "s3");
        TierSettings.S3 settings = new TierSettings.S3(
                name,
                reader.value(Setting.S3_BUCKET, TierSettingsReader::bucket, () -> ""),
                reader.value(Setting.S3_PREFIX, TierSettingsReader::prefix, () -> ""),
                endpoint,
                reader.value(Setting.S3_REGION, TierSettingsReader::region, () -> "us-east-1"),
                reader.value(Setting.S3_ALLOWED_ADDRESSES, TierSettingsReader::ranges, List::of),
                reader.optional(Setting.S3_CREDENTIALS_FILE, text -> S3Credentials.read(SettingsReader.absolute(text))),
                reader.value(Setting.S3_PATH_STYLE, TierSettingsReader::yesOrNo, endpoint::isPresent),
                reader.value(Setting.S3_CHECKSUMS, TierSettingsReader::checksums, () -> false),
                reader.value(Setting.S3_ENCRYPTION, S3Encryption::of, () -> S3Encryption.of("none")),
                reader.value(Setting.S3_PART_BYTES, text -> size(text, 5, 64), () -> 16 * MIB),
                reader.value(Setting.S3_CONNECTIONS, text -> SettingsReader.number(text, 1, 256), () -> 16),
                reader.value(
                        Setting.S3_TIMEOUT_SECONDS,
                        text -> Duration.ofSeconds(SettingsReader.number(text, 1, 3600)),
                        () -> Duration.ofSeconds(30)),
                reader.value(Setting.S3_ATTEMPTS, text -> SettingsReader.number(text, 1, 20), () -> 5));
        return reader.isSet(Setting.S3_BUCKET) ? Optional.of(settings) : Optional.empty();
    }

    /** A bucket's and a share's names must differ: operations tell tiers by them. */
    private static String s3Name(String text) {
        if (text.equals("nfs")) {
            throw new IllegalArgumentException("that is the name of the NFS tier");
        }
        return name(text);
    }

    private static String name(String text) {
        if (!text.matches(NAME) || TAKEN.contains(text)) {
            throw new IllegalArgumentException(
                    "a tier's name is of lower-case letters, digits and dashes, and not memory, nvme or peer");
        }
        return text;
    }

    private static String bucket(String text) {
        if (!text.matches("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")) {
            throw new IllegalArgumentException(
                    "a bucket's name has 3 to 63 lower-case letters, digits, dots and dashes");
        }
        return text;
    }

    private static String prefix(String text) {
        if (!text.matches("([A-Za-z0-9_-][A-Za-z0-9._-]*/)+")) {
            throw new IllegalArgumentException("write it like gpusnap/cluster-1/, with a slash at its end");
        }
        return text;
    }

    private static String region(String text) {
        if (!text.matches("[a-z0-9-]{1,63}")) {
            throw new IllegalArgumentException("write it like eu-central-1");
        }
        return text;
    }

    private static URI endpoint(String text) {
        URI uri = URI.create(text);
        boolean web = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
        if (!web || uri.getHost() == null || uri.getUserInfo() != null || uri.getQuery() != null) {
            throw new IllegalArgumentException("write it like https://s3.example.org");
        }
        return uri;
    }

    private static List<String> ranges(String text) {
        List<String> ranges =
                Arrays.stream(text.split(",", -1)).map(String::strip).toList();
        for (String range : ranges) {
            if (!range.matches("[0-9a-fA-F:.]+/[0-9]{1,3}")) {
                throw new IllegalArgumentException(range + " is no range; write them like 10.0.0.0/8, fd00::/8");
            }
        }
        return ranges;
    }

    static boolean yesOrNo(String text) {
        return switch (text.strip()) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException("write true or false");
        };
    }

    private static boolean checksums(String text) {
        return switch (text.strip()) {
            case "when-required" -> false;
            case "when-supported" -> true;
            default -> throw new IllegalArgumentException("write when-required or when-supported");
        };
    }

    private static long size(String text, long leastMib, long mostMib) {
        long bytes = ByteSize.parse(text);
        if (bytes < leastMib * MIB || bytes > mostMib * MIB) {
            throw new IllegalArgumentException("it is from %dMiB to %dMiB".formatted(leastMib, mostMib));
        }
        return bytes;
    }
}
