package io.gpusnap.node.config;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** Every setting there is: its key, what it means, and how its default reads in the help. */
public enum Setting {
    SERVICE_URL("service.url", "address of snapshot-service, http:// or https://", "none: needed by `run` only"),
    SERVICE_TOKEN("service.token", "access token of the service", "none"),
    SERVICE_TOKEN_FILE("service.tokenFile", "file that holds the access token, readable by its owner only", "none"),
    NODE_NAME("node.name", "name of this node, lower-case DNS name", "the host name"),
    STATE_DIR("state.dir", "folder of the journal, on a durable disk", "/var/lib/gpusnap"),
    NVME_ROOT("nvme.root", "folder of the NVMe tier", "<state.dir>/nvme"),
    NVME_COMPRESS("nvme.compress", "chunks that shrink by it are compressed on that disk", "false"),
    NVME_ENCRYPT("nvme.encrypt", "chunks are encrypted on that disk too, by the tenant's key (tiers.keyFile)", "false"),
    NVME_RESERVE_BYTES("nvme.reserveBytes", "free space on that disk which saves leave alone", "1GiB"),
    NVME_SWEEP_SECONDS(
            "nvme.sweepSeconds",
            "between two looks for chunks there that nothing names; what two in a row found so is deleted, 1 to 86400",
            "900"),
    NVME_QUARANTINE_DAYS(
            "nvme.quarantineDays",
            "how long a chunk that was found damaged there is kept in quarantine, 0 to 3650",
            "7"),
    NVME_QUARANTINE_BYTES(
            "nvme.quarantineBytes",
            "how much is kept there; the oldest goes first, at the next nvme.sweepSeconds",
            "10GiB"),
    MEMORY_POOL_BYTES("memory.poolBytes", "size of the pinned memory pool", "a quarter of the memory"),
    MEMORY_POOL_PATH("memory.poolPath", "file of the pool, on tmpfs", "/dev/shm/gpusnap-<node.name>/pool"),
    SCRATCH_DIR(
            "scratch.dir", "folder of CRIU's images while an operation runs", "/dev/shm/gpusnap-<node.name>/scratch"),
    SCRATCH_HUGE_PAGES(
            "scratch.hugePages", "a file system in memory with huge pages is mounted there: true or false", "false"),
    CRIU_PATH("criu.path", "the criu program", "what the launcher or PATH finds"),
    NATIVE_DIR("native.dir", "folder of libgpusnap.so", "beside the program"),
    CUDA_DRIVER("cuda.driver", "path of libcuda", "libcuda.so.1 as the loader finds it"),
    CUDA_CALL_LIMIT_SECONDS(
            "cuda.callLimitSeconds",
            "how long the driver may take for one call on a process before that is ended, 10 to 3600",
            "300"),
    METRICS_LISTEN("metrics.listen", "address of /metrics, /healthz and /readyz, or off", "127.0.0.1:9464"),
    TRANSFER_THREADS("transfer.threads", "threads of each transfer", "the processors, at most 16"),
    REBUILDABLE_TAGS(
            "rebuildable.tags",
            "tags of memory that an application may leave out of a save: all, none, or a list",
            "all"),
    REBUILDABLE_MIN_BYTES("rebuildable.minBytes", "smaller pieces of such memory are saved all the same", "4MiB"),
    STORAGE_DIRECT(
            "storage.direct",
            "chunks are read straight into device memory: auto, where that spares host memory; always; never",
            "auto"),
    STORAGE_CUFILE("storage.cufile", "path of libcufile", "libcufile.so.0 as the loader finds it"),
    THAW_FILL_AHEAD(
            "thaw.fillAhead",
            "a thaw makes and fills device memory while the process is made again: true or false",
            "true"),
    THAW_DRIVER_AHEAD(
            "thaw.driverAhead",
            "the driver restores a process while chunks are still read, nothing else of it runs: true or false",
            "false"),
    NFS_ROOT("nfs.root", "directory that nodes share, mounted here: makes the tier", "none: no NFS tier"),
    NFS_NAME("nfs.name", "name of that tier", "nfs"),
    NFS_DEADLINE_SECONDS("nfs.deadlineSeconds", "how long one call may take before the mount counts as hanging", "30"),
    S3_BUCKET("s3.bucket", "bucket that nodes share: makes the tier", "none: no S3 tier"),
    S3_NAME("s3.name", "name of that tier", "s3"),
    S3_PREFIX("s3.prefix", "of every key, ending in a slash", "none"),
    S3_ENDPOINT("s3.endpoint", "address of the store, http:// or https://", "that of s3.region at AWS"),
    S3_REGION("s3.region", "region of the bucket", "us-east-1"),
    S3_ALLOWED_ADDRESSES(
            "s3.allowedAddresses",
            "ranges such as 10.0.0.0/8 that the endpoint may be in, besides public addresses",
            "none"),
    S3_CREDENTIALS_FILE(
            "s3.credentialsFile",
            "file with lines accessKeyId = …, secretAccessKey = … and perhaps sessionToken = …",
            "AWS_ACCESS_KEY_ID and its kin in the environment"),
    S3_PATH_STYLE(
            "s3.pathStyle", "the bucket in the path, not in the host name: true or false", "true with s3.endpoint"),
    S3_CHECKSUMS("s3.checksums", "checksums besides our own: when-required or when-supported", "when-required"),
    S3_ENCRYPTION("s3.encryption", "what the store does to objects at rest: none, AES256, or aws:kms:<key id>", "none"),
    S3_PART_BYTES("s3.partBytes", "size of an upload's parts and of a download's ranges, 5MiB to 64MiB", "16MiB"),
    S3_CONNECTIONS("s3.connections", "requests at the same time, 1 to 256", "16"),
    S3_TIMEOUT_SECONDS("s3.timeoutSeconds", "how long one request may take with its body", "30"),
    S3_ATTEMPTS("s3.attempts", "how often a request is sent before it counts as failed, 1 to 20", "5"),
    TIERS_PACK_BYTES("tiers.packBytes", "size of the objects that chunks are packed into, 16MiB to 256MiB", "64MiB"),
    TIERS_TENANT("tiers.tenant", "whose key encrypts what this node puts into shared tiers", "default"),
    TIERS_SHARING_GROUP(
            "tiers.sharingGroup",
            "group of tenants: in shared tiers they share chunks, which are encrypted by keys of the group",
            "none: shared with nobody"),
    TIERS_COMPRESS(
            "tiers.compress", "chunks that shrink by it are compressed there: false, true (zstd) or planes", "false"),
    TIERS_KEY_FILE(
            "tiers.keyFile",
            "file, or env:NAME, with 64 hex digits: chunks are encrypted there",
            "none: not encrypted"),
    TIERS_KEY_PROVIDER(
            "tiers.keyProvider",
            "what wraps the tenant's data keys: file, the first key of tiers.keyFile; vault, a key of vault.address",
            "file"),
    VAULT_ADDRESS(
            "vault.address",
            "https:// address of a service with the API of Vault's transit engine; http:// on this machine only",
            "none"),
    VAULT_MOUNT("vault.mount", "path of the transit engine there", "transit"),
    VAULT_KEY("vault.key", "name of the key there, of an AEAD type such as aes256-gcm96", "none"),
    VAULT_TOKEN_FILE("vault.tokenFile", "file, or env:NAME, with the token; read anew for each request", "none"),
    VAULT_TIMEOUT_SECONDS("vault.timeoutSeconds", "how long one request may take, 1 to 60", "10"),
    TIERS_SIGNING_KEY_FILE(
            "tiers.signingKeyFile", "file, or env:NAME, with a private Ed25519 key in PEM", "none: not signed"),
    TIERS_TRUSTED_KEYS_FILE(
            "tiers.trustedKeysFile",
            "file, or env:NAME, with public Ed25519 keys in PEM: manifests must be signed by one",
            "none: unsigned ones are taken"),
    TIERS_MAX_BYTES_PER_SECOND("tiers.maxBytesPerSecond", "bound of all copies between tiers together", "none"),
    TIERS_STAND_STILL_SECONDS(
            "tiers.standStillSeconds",
            "how long a copy that the service asks for stands still in all for more urgent ones before it ends, 1 to 86400",
            "3600"),
    PEERS_LISTEN(
            "peers.listen",
            "address on which nodes that bring back the same snapshot ask this one for chunks, or off",
            "off"),
    PEERS_ADDRESS("peers.address", "host and port as the other nodes reach it", "that of peers.listen"),
    PEERS_CONNECTIONS("peers.connections", "requests of other nodes that are served at the same time, 1 to 256", "16"),
    PEERS_MAX_BYTES_PER_SECOND("peers.maxBytesPerSecond", "bound of what other nodes get from this one", "none"),
    PEERS_TIMEOUT_SECONDS("peers.timeoutSeconds", "how long another node may take for what it is asked, 1 to 60", "10"),
    PEERS_BUFFER_BYTES("peers.bufferBytes", "memory for chunks that others will ask for, 32MiB to 16GiB", "256MiB"),
    OPERATIONS_PARALLEL("operations.parallel", "operations that run at the same time, 1 to 16", "2"),
    STOP_GRACE_SECONDS("stop.graceSeconds", "how long SIGTERM waits for operations to end or undo", "60");

    private final String key;
    private final String meaning;
    private final String defaultText;

    Setting(String key, String meaning, String defaultText) {
        this.key = key;
        this.meaning = meaning;
        this.defaultText = defaultText;
    }

    public String key() {
        return key;
    }

    public String meaning() {
        return meaning;
    }

    public String defaultText() {
        return defaultText;
    }

    /** {@code service.tokenFile} is {@code --service-token-file}. */
    public String flag() {
        return "--" + words().replace('_', '-').toLowerCase(Locale.ROOT);
    }

    /** {@code service.tokenFile} is {@code GPUSNAP_NODE_SERVICE_TOKEN_FILE}. */
    public String environmentName() {
        return "GPUSNAP_NODE_" + words();
    }

    private String words() {
        return key.replaceAll("([A-Z])", "_$1").replace('.', '_').toUpperCase(Locale.ROOT);
    }

    static Optional<Setting> ofKey(String key) {
        return Arrays.stream(values())
                .filter(setting -> setting.key.equals(key))
                .findFirst();
    }

    /** Underscores between the words of one part may be left out: {@code …_SERVICE_TOKENFILE}. */
    static Optional<Setting> ofEnvironmentName(String name) {
        String bare = name.replace("_", "");
        return Arrays.stream(values())
                .filter(setting -> setting.environmentName().replace("_", "").equals(bare))
                .findFirst();
    }

    static String allKeys() {
        return Arrays.stream(values()).map(Setting::key).collect(Collectors.joining(", "));
    }
}
