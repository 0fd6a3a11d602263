package io.gpusnap.node.config;

import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/** Turns texts into the settings record; collects every problem before it gives up. */
final class SettingsReader {

    private static final long SLOT_BYTES = 4L << 20;
    private static final long LEAST_POOL_BYTES = 4 * SLOT_BYTES;
    /** A DNS name, short enough for the service. */
    private static final String NODE_NAME = "[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?";

    private final SettingSources sources;
    private final Machine machine;
    private final List<String> problems = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();

    SettingsReader(SettingSources sources, Machine machine) {
        this.sources = sources;
        this.machine = machine;
        problems.addAll(sources.problems());
    }

    NodeSettings read() throws ConfigurationException {
        String name = value(Setting.NODE_NAME, SettingsReader::nodeName, this::defaultNodeName);
        Path state = path(Setting.STATE_DIR, Path.of("/var/lib/gpusnap"));
        Path memory = Path.of("/dev/shm/gpusnap-" + name);
        NodeSettings settings = new NodeSettings(
                service(),
                name,
                state,
                path(Setting.NVME_ROOT, state.resolve("nvme")),
                value(Setting.NVME_RESERVE_BYTES, ByteSize::parse, () -> 1L << 30),
                value(
                        Setting.NVME_SWEEP_SECONDS,
                        text -> Duration.ofSeconds(number(text, 1, 86_400)),
                        () -> Duration.ofMinutes(15)),
                value(
                        Setting.NVME_QUARANTINE_DAYS,
                        text -> Duration.ofDays(number(text, 0, 3650)),
                        () -> Duration.ofDays(7)),
                value(Setting.NVME_QUARANTINE_BYTES, ByteSize::parse, () -> 10L << 30),
                path(Setting.MEMORY_POOL_PATH, memory.resolve("pool")),
                value(Setting.MEMORY_POOL_BYTES, this::poolBytes, this::defaultPoolBytes),
                path(Setting.SCRATCH_DIR, memory.resolve("scratch")),
                value(Setting.SCRATCH_HUGE_PAGES, TierSettingsReader::yesOrNo, () -> false),
                optionalPath(Setting.CRIU_PATH),
                path(Setting.NATIVE_DIR, machine.nativeDirectory()),
                optionalPath(Setting.CUDA_DRIVER),
                value(
                        Setting.CUDA_CALL_LIMIT_SECONDS,
                        text -> Duration.ofSeconds(number(text, 10, 3600)),
                        () -> Duration.ofMinutes(5)),
                value(
                        Setting.METRICS_LISTEN,
                        SettingsReader::listenAddress,
                        () -> Optional.of(new InetSocketAddress("127.0.0.1", 9464))),
                value(Setting.TRANSFER_THREADS, text -> number(text, 1, 256), () -> Math.min(16, machine.processors())),
                rebuildable(),
                storage(),
                thaw(),
                new TierSettingsReader(this).read(),
                value(Setting.OPERATIONS_PARALLEL, text -> number(text, 1, 16), () -> 2),
                value(
                        Setting.STOP_GRACE_SECONDS,
                        text -> Duration.ofSeconds(number(text, 0, 3600)),
                        () -> Duration.ofSeconds(60)),
                warnings);
        if (!problems.isEmpty()) {
            throw new ConfigurationException(problems);
        }
        return settings;
    }

    private RebuildableSettings rebuildable() {
        return new RebuildableSettings(
                value(Setting.REBUILDABLE_TAGS, RebuildableSettings::tags, Optional::empty),
                value(Setting.REBUILDABLE_MIN_BYTES, SettingsReader::leastRebuildable, () -> SLOT_BYTES));
    }

    private ThawSettings thaw() {
        return new ThawSettings(
                value(Setting.THAW_FILL_AHEAD, TierSettingsReader::yesOrNo, () -> true),
                value(Setting.THAW_DRIVER_AHEAD, TierSettingsReader::yesOrNo, () -> false));
    }

    private StorageSettings storage() {
        return new StorageSettings(
                value(Setting.STORAGE_DIRECT, StorageSettings.Direct::of, () -> StorageSettings.Direct.AUTO),
                optionalPath(Setting.STORAGE_CUFILE));
    }

    private static long leastRebuildable(String text) {
        long bytes = ByteSize.parse(text);
        if (bytes < SLOT_BYTES) {
            throw new IllegalArgumentException("memory is saved in chunks of 4 MiB, so it is at least 4MiB");
        }
        return bytes;
    }

    private Optional<ServiceSettings> service() {
        Optional<URI> url = optional(Setting.SERVICE_URL, SettingsReader::serviceUrl);
        Optional<SecretToken> direct = optional(Setting.SERVICE_TOKEN, TokenSource::check);
        Optional<TokenSource> fromFile = optional(Setting.SERVICE_TOKEN_FILE, text -> TokenSource.read(absolute(text)));
        fromFile.flatMap(TokenSource::warning).ifPresent(warnings::add);
        if (isSet(Setting.SERVICE_TOKEN) && isSet(Setting.SERVICE_TOKEN_FILE)) {
            problems.add("service.token and service.tokenFile are both set; keep one");
        }
        Optional<SecretToken> token = direct.or(() -> fromFile.map(TokenSource::token));
        if (url.isPresent() && !isSet(Setting.SERVICE_TOKEN) && !isSet(Setting.SERVICE_TOKEN_FILE)) {
            problems.add("service.url is set but no token; set service.tokenFile to the file with the access token");
        }
        return url.flatMap(address -> token.map(secret -> new ServiceSettings(address, secret)));
    }

    <T> T value(Setting setting, Function<String, T> parse, Supplier<T> otherwise) {
        return optional(setting, parse).orElseGet(otherwise);
    }

    <T> Optional<T> optional(Setting setting, Function<String, T> parse) {
        Optional<SettingSources.Value> value = sources.get(setting);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        try {
            if (value.get().text().isBlank()) {
                throw new IllegalArgumentException("it is empty; give it a value or leave it out");
            }
            return Optional.of(parse.apply(value.get().text()));
        } catch (IllegalArgumentException e) {
            problems.add(setting.key() + " (" + value.get().source() + ") cannot be used: " + e.getMessage());
            return Optional.empty();
        }
    }

    void problem(String text) {
        problems.add(text);
    }

    boolean isSet(Setting setting) {
        return sources.get(setting).isPresent();
    }

    private Path path(Setting setting, Path otherwise) {
        return value(setting, SettingsReader::absolute, otherwise::toAbsolutePath);
    }

    private Optional<Path> optionalPath(Setting setting) {
        return optional(setting, SettingsReader::absolute);
    }

    private String defaultNodeName() {
        if (!machine.hostName().matches(NODE_NAME)) {
            problems.add("node.name is not set and the host name " + machine.hostName()
                    + " is no lower-case DNS name; set node.name");
        }
        return machine.hostName();
    }

    private long defaultPoolBytes() {
        return Math.max(LEAST_POOL_BYTES, machine.memoryBytes() / 4 / SLOT_BYTES * SLOT_BYTES);
    }

    static Path absolute(String text) {
        // InvalidPathException is an IllegalArgumentException, its message says what is wrong.
        return Path.of(text).toAbsolutePath().normalize();
    }

    private static String nodeName(String text) {
        if (!text.matches(NODE_NAME)) {
            throw new IllegalArgumentException("a node name is a lower-case DNS name such as gpu-node-7");
        }
        return text;
    }

    private static URI serviceUrl(String text) {
        URI uri = URI.create(text);
        boolean web = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
        if (!web || uri.getHost() == null || uri.getQuery() != null || uri.getFragment() != null) {
            throw new IllegalArgumentException("write it like http://127.0.0.1:8080");
        }
        return URI.create(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
    }

    /** A pool that does not fit would end in the middle of being filled, by SIGBUS or by the kernel's killer. */
    private long poolBytes(String text) {
        long bytes = ByteSize.parse(text);
        if (bytes < LEAST_POOL_BYTES || bytes % SLOT_BYTES != 0) {
            throw new IllegalArgumentException("the pool is a multiple of 4 MiB and at least 16 MiB");
        }
        long most = machine.memoryBytes() - machine.memoryBytes() / 8;
        if (bytes > most) {
            throw new IllegalArgumentException(
                    "%d bytes of the %d that this machine or its control group has: at most %d, an eighth is for others"
                            .formatted(bytes, machine.memoryBytes(), most));
        }
        return bytes;
    }

    static Optional<InetSocketAddress> listenAddress(String text) {
        if (text.equals("off")) {
            return Optional.empty();
        }
        int colon = text.lastIndexOf(':');
        if (colon < 1) {
            throw new IllegalArgumentException("write it like 127.0.0.1:9464, or off");
        }
        String host = text.substring(0, colon).replaceAll("^\\[|\\]$", "");
        InetSocketAddress address = new InetSocketAddress(host, number(text.substring(colon + 1), 0, 65_535));
        if (address.isUnresolved()) {
            throw new IllegalArgumentException("no address belongs to the host " + host);
        }
        return Optional.of(address);
    }

    static int number(String text, int least, int most) {
        if (!text.matches("[0-9]{1,9}") || Integer.parseInt(text) < least || Integer.parseInt(text) > most) {
            throw new IllegalArgumentException("it is a number from " + least + " to " + most);
        }
        return Integer.parseInt(text);
    }
}
