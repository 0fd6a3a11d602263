package io.gpusnap.node.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class SettingsLoaderTest {

    private static final Machine MACHINE = new Machine("node-1", 64L << 30, 32, Path.of("/opt/gpusnap"));

    @TempDir
    Path folder;

    @Test
    void withoutAnySettingTheDocumentedDefaultsHold() throws Exception {
        NodeSettings settings = load(Optional.empty(), Map.of(), Map.of());

        assertThat(settings.service()).isEmpty();
        assertThat(settings.nodeName()).isEqualTo("node-1");
        assertThat(settings.stateDir()).isEqualTo(Path.of("/var/lib/gpusnap"));
        assertThat(settings.nvmeRoot()).isEqualTo(Path.of("/var/lib/gpusnap/nvme"));
        assertThat(settings.nvmeReserveBytes()).isEqualTo(1L << 30);
        assertThat(settings.nvmeSweepPeriod()).isEqualTo(Duration.ofMinutes(15));
        assertThat(settings.quarantineAge()).isEqualTo(Duration.ofDays(7));
        assertThat(settings.quarantineBytes()).isEqualTo(10L << 30);
        assertThat(settings.poolBytes()).isEqualTo(16L << 30);
        assertThat(settings.poolPath()).isEqualTo(Path.of("/dev/shm/gpusnap-node-1/pool"));
        assertThat(settings.scratchDir()).isEqualTo(Path.of("/dev/shm/gpusnap-node-1/scratch"));
        assertThat(settings.scratchHugePages()).isFalse();
        assertThat(settings.metricsListen().orElseThrow().getPort()).isEqualTo(9464);
        assertThat(settings.nativeDir()).isEqualTo(Path.of("/opt/gpusnap/native"));
        assertThat(settings.transferThreads()).isEqualTo(16);
        assertThat(settings.rebuildable()).isEqualTo(new RebuildableSettings(Optional.empty(), 4L << 20));
        assertThat(settings.storage()).isEqualTo(new StorageSettings(StorageSettings.Direct.AUTO, Optional.empty()));
        assertThat(settings.thaw()).isEqualTo(new ThawSettings(true, false));
        assertThat(settings.tiers()).isEqualTo(TierSettings.none());
        assertThat(settings.parallelOperations()).isEqualTo(2);
        assertThat(settings.stopGrace()).isEqualTo(Duration.ofSeconds(60));
    }

    @Test
    void sharedTiersAreReadWithTheirDefaultsAndCredentialsAreNotShown() throws Exception {
        Path credentials = Files.writeString(
                folder.resolve("credentials"), "accessKeyId = id\n# a comment\nsecretAccessKey = very-secret\n");
        NodeSettings settings = load(
                Optional.empty(),
                Map.of(),
                Map.of(
                        Setting.NFS_ROOT, "/mnt/share",
                        Setting.S3_BUCKET, "snapshots",
                        Setting.S3_ENDPOINT, "http://10.0.0.1:9000",
                        Setting.S3_ALLOWED_ADDRESSES, "10.0.0.0/8, fd00::/8",
                        Setting.S3_CREDENTIALS_FILE, credentials.toString(),
                        Setting.S3_ENCRYPTION, "aws:kms:key-1"));

        assertThat(settings.tiers().nfs())
                .contains(new TierSettings.Nfs("nfs", Path.of("/mnt/share"), Duration.ofSeconds(30)));
        TierSettings.S3 s3 = settings.tiers().s3().orElseThrow();
        assertThat(s3.name()).isEqualTo("s3");
        assertThat(s3.pathStyle()).isTrue();
        assertThat(s3.checksums()).isFalse();
        assertThat(s3.partBytes()).isEqualTo(16L << 20);
        assertThat(s3.allowedAddresses()).containsExactly("10.0.0.0/8", "fd00::/8");
        assertThat(s3.encryption()).isEqualTo(new S3Encryption(true, Optional.of("key-1")));
        assertThat(s3.credentials().orElseThrow().secretAccessKey().value()).isEqualTo("very-secret");
        assertThat(settings.toString()).doesNotContain("very-secret");
    }

    @Test
    void hugePagesAreAWordThatIsTrueOrFalse() throws Exception {
        assertThat(load(Optional.empty(), Map.of(), Map.of(Setting.SCRATCH_HUGE_PAGES, "true"))
                        .scratchHugePages())
                .isTrue();
        assertThat(load(Optional.empty(), Map.of("GPUSNAP_NODE_SCRATCH_HUGE_PAGES", "true"), Map.of())
                        .scratchHugePages())
                .isTrue();
        assertThatExceptionOfType(ConfigurationException.class)
                .isThrownBy(() -> load(Optional.empty(), Map.of(), Map.of(Setting.SCRATCH_HUGE_PAGES, "always")))
                .satisfies(
                        e -> assertThat(e.problems()).singleElement().asString().startsWith("scratch.hugePages ("));
    }

    @Test
    void whetherThawsFillAheadIsAWordThatIsTrueOrFalse() throws Exception {
        assertThat(load(Optional.empty(), Map.of(), Map.of(Setting.THAW_FILL_AHEAD, "false"))
                        .thaw()
                        .fillAhead())
                .isFalse();
        assertThat(load(Optional.empty(), Map.of("GPUSNAP_NODE_THAW_FILL_AHEAD", "false"), Map.of())
                        .thaw()
                        .fillAhead())
                .isFalse();
        assertThat(load(Optional.empty(), Map.of(), Map.of(Setting.THAW_DRIVER_AHEAD, "true"))
                        .thaw()
                        .driverAhead())
                .isTrue();
        assertThatExceptionOfType(ConfigurationException.class)
                .isThrownBy(() -> load(Optional.empty(), Map.of(), Map.of(Setting.THAW_FILL_AHEAD, "1")))
                .satisfies(
                        e -> assertThat(e.problems()).singleElement().asString().startsWith("thaw.fillAhead ("));
    }

    @Test
    void badSettingsOfSharedTiersAreAllNamed() {
        assertThatExceptionOfType(ConfigurationException.class)
                .isThrownBy(() -> load(
                        Optional.empty(),
                        Map.of(),
                        Map.of(
                                Setting.NFS_NAME, "nvme",
                                Setting.S3_BUCKET, "Not A Bucket",
                                Setting.S3_ENDPOINT, "ftp://host",
                                Setting.S3_PREFIX, "../up",
                                Setting.S3_ALLOWED_ADDRESSES, "example.org",
                                Setting.S3_PART_BYTES, "1MiB",
                                Setting.S3_CREDENTIALS_FILE, "/no/such/file",
                                Setting.TIERS_PACK_BYTES, "1GiB")))
                .satisfies(e -> assertThat(e.problems())
                        .hasSize(8)
                        .anyMatch(line -> line.startsWith("nfs.name"))
                        .anyMatch(line -> line.startsWith("s3.prefix"))
                        .anyMatch(line -> line.startsWith("s3.credentialsFile")));
    }

    @ParameterizedTest
    @CsvSource({"false, OFF", "true, ZSTD", "planes, PLANES"})
    void sharedTiersAreCompressedInAWayThatAllDaemonsKnow(String text, TierCompression expected) throws Exception {
        NodeSettings settings =
                load(Optional.empty(), Map.of(), Map.of(Setting.TIERS_COMPRESS, text, Setting.NVME_COMPRESS, "true"));
        assertThat(settings.tiers().keys().compression()).isEqualTo(expected);
        assertThat(settings.tiers().keys().compressNvme()).isTrue();
        assertProblems(Map.of(Setting.TIERS_COMPRESS, "zstd"), "tiers.compress");
    }

    @Test
    void aKeyManagementServiceIsReadWithItsDefaults() throws Exception {
        Path token = Files.writeString(folder.resolve("token"), "hvs.secret\n");
        NodeSettings settings = load(
                Optional.empty(),
                Map.of(),
                Map.of(
                        Setting.TIERS_KEY_PROVIDER, "vault",
                        Setting.VAULT_ADDRESS, "https://vault.example.org:8200",
                        Setting.VAULT_KEY, "gpusnap",
                        Setting.VAULT_TOKEN_FILE, token.toString(),
                        Setting.NVME_ENCRYPT, "true"));

        assertThat(settings.tiers().keys().vault())
                .contains(new VaultSettings(
                        URI.create("https://vault.example.org:8200"),
                        "transit",
                        "gpusnap",
                        token.toString(),
                        Duration.ofSeconds(10)));
        assertThat(settings.tiers().keys().encryptNvme()).isTrue();
        assertThat(settings.toString()).doesNotContain("hvs.secret");
    }

    @Test
    void aKeyManagementServiceThatCannotBeAskedStopsTheStart() throws Exception {
        Path empty = Files.writeString(folder.resolve("empty"), "\n");
        assertProblems(Map.of(Setting.TIERS_KEY_PROVIDER, "vault"), "vault.address", "vault.key", "vault.tokenFile");
        assertProblems(Map.of(Setting.VAULT_KEY, "gpusnap"), "vault.key is of no use");
        assertProblems(Map.of(Setting.TIERS_SHARING_GROUP, "lab"), "tiers.sharingGroup takes a key");
        assertProblems(
                Map.of(
                        Setting.TIERS_KEY_PROVIDER, "aws",
                        Setting.VAULT_MOUNT, "../sys",
                        Setting.VAULT_TIMEOUT_SECONDS, "0"),
                "tiers.keyProvider (",
                "vault.mount (",
                "vault.timeoutSeconds (");
        assertProblems(
                Map.of(
                        Setting.TIERS_KEY_PROVIDER, "vault",
                        Setting.VAULT_ADDRESS, "http://vault.example.org:8200",
                        Setting.VAULT_KEY, "a/b",
                        Setting.VAULT_TOKEN_FILE, empty.toString()),
                "vault.address (",
                "vault.key (",
                "vault.tokenFile (");
    }

    private void assertProblems(Map<Setting, String> flags, String... starts) {
        assertThatExceptionOfType(ConfigurationException.class)
                .isThrownBy(() -> load(Optional.empty(), Map.of(), flags))
                .satisfies(e -> {
                    assertThat(e.problems()).hasSameSizeAs(starts);
                    for (String start : starts) {
                        assertThat(e.problems()).anyMatch(line -> line.contains(start));
                    }
                });
    }

    @Test
    void aCopyStandsStillForAnHourUnlessItIsToldOtherwise() throws Exception {
        assertThat(load(Optional.empty(), Map.of(), Map.of()).tiers().standStill())
                .isEqualTo(Duration.ofHours(1));
        assertThat(load(Optional.empty(), Map.of(), Map.of(Setting.TIERS_STAND_STILL_SECONDS, "90"))
                        .tiers()
                        .standStill())
                .isEqualTo(Duration.ofSeconds(90));
        assertProblems(Map.of(Setting.TIERS_STAND_STILL_SECONDS, "0"), "tiers.standStillSeconds");
    }

    @Test
    void aNodeDealsWithOthersOnlyWhenItIsTold() throws Exception {
        assertThat(load(Optional.empty(), Map.of(), Map.of()).tiers().peers().listen())
                .isEmpty();
        PeerNetSettings peers = load(
                        Optional.empty(),
                        Map.of(),
                        Map.of(
                                Setting.PEERS_LISTEN, "127.0.0.1:9465",
                                Setting.PEERS_MAX_BYTES_PER_SECOND, "1GiB",
                                Setting.PEERS_BUFFER_BYTES, "1GiB"))
                .tiers()
                .peers();
        assertThat(peers.listen()).map(InetSocketAddress::getPort).contains(9465);
        assertThat(peers.connections()).isEqualTo(16);
        assertThat(peers.maxBytesPerSecond()).contains(1L << 30);
        assertThat(peers.timeout()).isEqualTo(Duration.ofSeconds(10));
        assertThat(peers.bufferBytes()).isEqualTo(1L << 30);
    }

    @Test
    void badSettingsOfPeersAreAllNamed() {
        assertThatThrownBy(() -> load(
                        Optional.empty(),
                        Map.of(),
                        Map.of(
                                Setting.PEERS_LISTEN, "0.0.0.0:9465",
                                Setting.PEERS_CONNECTIONS, "0",
                                Setting.PEERS_TIMEOUT_SECONDS, "61",
                                Setting.PEERS_BUFFER_BYTES, "1MiB")))
                .isInstanceOfSatisfying(
                        ConfigurationException.class,
                        e -> assertThat(e.problems())
                                .hasSize(4)
                                .anySatisfy(problem -> assertThat(problem).contains("set peers.address"))
                                .anySatisfy(problem -> assertThat(problem).contains("peers.connections"))
                                .anySatisfy(problem -> assertThat(problem).contains("peers.timeoutSeconds"))
                                .anySatisfy(problem -> assertThat(problem).contains("peers.bufferBytes")));
        assertProblem(
                () -> load(Optional.empty(), Map.of(), Map.of(Setting.PEERS_ADDRESS, "no port")), "peers.address");
    }

    @ParameterizedTest
    @CsvSource({
        "10.1.2.3:9465, 10.1.2.3:9465",
        "gpu-node-7.example.org:9465, gpu-node-7.example.org:9465",
        "[fd00::12]:9465, [fd00::12]:9465",
        "fd00::12:9465, [fd00::12]:9465"
    })
    void anAddressForPeersIsAHostAndAPort(String text, String address) throws Exception {
        NodeSettings settings = load(
                Optional.empty(), Map.of(), Map.of(Setting.PEERS_LISTEN, "0.0.0.0:9465", Setting.PEERS_ADDRESS, text));

        assertThat(settings.tiers().peers().address()).contains(address);
    }

    @Test
    void inASourceTreeTheLibrariesAreWhereTheBuildLeavesThem() throws Exception {
        Path built = Files.createDirectories(folder.resolve("gpu-native/target/native/lib"));
        Path target = Files.createDirectories(folder.resolve("node-daemon/target"));

        assertThat(new Machine("node-1", 1, 1, target).nativeDirectory()).isEqualTo(built);
    }

    @Test
    void flagsWinOverTheEnvironmentAndThatOverTheFile() throws Exception {
        Path file = file("""
                # a comment
                node.name = from-file
                nvme.root = /file
                memory.poolBytes = 64MiB
                """);

        NodeSettings settings = load(
                Optional.of(file),
                Map.of("GPUSNAP_NODE_NODE_NAME", "from-env", "GPUSNAP_NODE_NVME_ROOT", "/env", "PATH", "/bin"),
                Map.of(Setting.NODE_NAME, "from-flag"));

        assertThat(settings.nodeName()).isEqualTo("from-flag");
        assertThat(settings.nvmeRoot()).isEqualTo(Path.of("/env"));
        assertThat(settings.poolBytes()).isEqualTo(64L << 20);
    }

    @Test
    void directStorageIsSetByWordAndPath() throws Exception {
        NodeSettings settings = load(
                Optional.empty(),
                Map.of(
                        "GPUSNAP_NODE_STORAGE_DIRECT",
                        "always",
                        "GPUSNAP_NODE_STORAGE_CUFILE",
                        "/opt/cuda/lib/libcufile.so.0"),
                Map.of());

        assertThat(settings.storage())
                .isEqualTo(new StorageSettings(
                        StorageSettings.Direct.ALWAYS, Optional.of(Path.of("/opt/cuda/lib/libcufile.so.0"))));
        assertThat(load(Optional.empty(), Map.of(), Map.of(Setting.STORAGE_DIRECT, "never"))
                        .storage()
                        .direct())
                .isEqualTo(StorageSettings.Direct.NEVER);
    }

    @Test
    void theEnvironmentTakesWordsWithAndWithoutUnderscore() throws Exception {
        assertThat(load(Optional.empty(), Map.of("GPUSNAP_NODE_MEMORY_POOL_BYTES", "32MiB"), Map.of())
                        .poolBytes())
                .isEqualTo(32L << 20);
        assertThat(load(Optional.empty(), Map.of("GPUSNAP_NODE_MEMORY_POOLBYTES", "32MiB"), Map.of())
                        .poolBytes())
                .isEqualTo(32L << 20);
    }

    @ParameterizedTest(name = "{0} = {1}")
    @CsvSource(delimiter = '|', textBlock = """
                    service.url         | ftp://service              | write it like http://
                    node.name           | Not_A_Name                 | lower-case DNS name
                    nvme.reserveBytes   | plenty                     | write bytes or a number with KiB
                    nvme.reserveBytes   | 9000000TiB                 | larger than any machine
                    nvme.sweepSeconds   | 0                          | from 1 to 86400
                    nvme.quarantineDays | -1                         | from 0 to 3650
                    nvme.quarantineBytes | some                      | write bytes or a number with KiB
                    memory.poolBytes    | 5MiB                       | multiple of 4 MiB
                    memory.poolBytes    | 60GiB                      | an eighth is for others
                    metrics.listen      | 9464                       | write it like 127.0.0.1:9464
                    metrics.listen      | 127.0.0.1:70000            | from 0 to 65535
                    transfer.threads    | 0                          | from 1 to 256
                    rebuildable.tags    | kv cache                   | is no tag; write all, none
                    rebuildable.tags    | kv-cache,                  | is no tag; write all, none
                    rebuildable.minBytes | 1MiB                      | at least 4MiB
                    storage.direct      | maybe                      | write auto, always or never
                    operations.parallel | 17                         | from 1 to 16
                    stop.graceSeconds   | -1                         | from 0 to 3600
                    service.tokenFile   | /nowhere/token             | cannot be read
                    state.dir           | ''                         | it is empty
                    """)
    void aBadValueStopsTheStartWithPropertyPlaceAndMend(String key, String value, String mend) throws IOException {
        Path file = file(key + " = " + value);

        assertProblem(
                () -> load(Optional.of(file), Map.of(), Map.of()),
                key + " (" + file + " line 1) cannot be used: ",
                mend);
    }

    @Test
    void rebuildableTagsAreAllOrNoneOrThoseNamed() throws Exception {
        assertThat(rebuildable("all").honours("kv-cache")).isTrue();
        assertThat(rebuildable("none").honours("kv-cache")).isFalse();
        assertThat(rebuildable("kv-cache, scratch").honours("scratch")).isTrue();
        assertThat(rebuildable("kv-cache, scratch").honours("weights")).isFalse();
    }

    private static RebuildableSettings rebuildable(String tags) throws ConfigurationException {
        return load(Optional.empty(), Map.of(), Map.of(Setting.REBUILDABLE_TAGS, tags))
                .rebuildable();
    }

    @Test
    void keysThatNobodyKnowsAreRefusedInFileAndEnvironment() throws IOException {
        Path file = file("nvme.rot = /data");
        assertProblem(() -> load(Optional.of(file), Map.of(), Map.of()), "nvme.rot", "is no setting", "nvme.root");
        assertProblem(
                () -> load(Optional.empty(), Map.of("GPUSNAP_NODE_NVME_ROT", "/data"), Map.of()),
                "GPUSNAP_NODE_NVME_ROT is no setting");
    }

    @Test
    void everyProblemIsToldAtOnce() throws IOException {
        Path file = file("nonsense\nmemory.poolBytes = 1");
        assertThatThrownBy(() -> load(Optional.of(file), Map.of(), Map.of()))
                .isInstanceOfSatisfying(
                        ConfigurationException.class,
                        e -> assertThat(e.problems()).hasSize(2));
    }

    @Test
    void aHostNameThatIsNoNodeNameAsksForOne() {
        Machine odd = new Machine("gpu_box", 1L << 30, 1, Path.of("/opt/gpusnap"));
        assertProblem(() -> SettingsLoader.load(Optional.empty(), Map.of(), Map.of(), Map.of(), odd), "set node.name");
    }

    @Test
    void theServiceNeedsAddressAndOneToken() throws Exception {
        Path token = folder.resolve("token");
        Files.writeString(token, "s3cret\n");
        Files.setPosixFilePermissions(token, PosixFilePermissions.fromString("rw-------"));
        Map<Setting, String> url = Map.of(Setting.SERVICE_URL, "http://127.0.0.1:8080/");

        ServiceSettings service = load(
                        Optional.empty(), Map.of("GPUSNAP_NODE_SERVICE_TOKEN_FILE", token.toString()), url)
                .service()
                .orElseThrow();
        assertThat(service.url()).isEqualTo(URI.create("http://127.0.0.1:8080"));
        assertThat(service.token().value()).isEqualTo("s3cret");
        assertThat(service.toString()).doesNotContain("s3cret");

        assertProblem(() -> load(Optional.empty(), Map.of(), url), "service.url is set but no token");
        assertProblem(
                () -> load(
                        Optional.empty(),
                        Map.of(),
                        Map.of(Setting.SERVICE_TOKEN, "x", Setting.SERVICE_TOKEN_FILE, token.toString())),
                "both set");
    }

    @Test
    void aTokenFileThatOthersReadIsWarnedAbout() throws Exception {
        Path token = folder.resolve("token");
        Files.writeString(token, "s3cret");
        Files.setPosixFilePermissions(token, PosixFilePermissions.fromString("rw-r--r--"));

        NodeSettings settings = load(
                Optional.empty(),
                Map.of(),
                Map.of(Setting.SERVICE_URL, "http://h:1", Setting.SERVICE_TOKEN_FILE, token.toString()));

        assertThat(settings.warnings()).singleElement().asString().contains("chmod 600");
    }

    @ParameterizedTest
    @MethodSource
    void namesOfOneSettingFollowEachOther(Setting setting) {
        assertThat(Setting.ofKey(setting.key())).contains(setting);
        assertThat(Setting.ofEnvironmentName(setting.environmentName())).contains(setting);
        assertThat(setting.flag()).matches("--[a-z][a-z0-9]*(-[a-z]+)+");
    }

    static Stream<Setting> namesOfOneSettingFollowEachOther() {
        return Arrays.stream(Setting.values());
    }

    private static NodeSettings load(Optional<Path> file, Map<String, String> environment, Map<Setting, String> flags)
            throws ConfigurationException {
        return SettingsLoader.load(file, environment, flags, Map.of(), MACHINE);
    }

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("node.properties"), text);
    }

    private static void assertProblem(ThrowingCallable load, String... parts) {
        assertThatThrownBy(load).isInstanceOf(ConfigurationException.class).hasMessageContainingAll(parts);
    }
}
