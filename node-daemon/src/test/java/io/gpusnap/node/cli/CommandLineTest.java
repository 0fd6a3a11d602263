package io.gpusnap.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.agent.Agent;
import io.gpusnap.node.client.Task;
import io.gpusnap.node.metrics.MetricsServer;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.Journal;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.OperationRunner;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.Stage;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StagePlan;
import io.gpusnap.node.operation.StateLock;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a person sees, word by word. Ids that are new every time read ID, times read N. */
class CommandLineTest {

    @TempDir
    Path state;

    private final ToyNode node = new ToyNode();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void savesAWorkloadByName() {
        int status = run("save", "--workload", "llm");

        assertThat(status).isZero();
        assertThat(out()).isEqualTo("""
                snapshot ID
                  engine    suspend
                  memory    4.0 GiB device, 512.0 MiB host
                  stored    3.0 GiB, 900 of 1200 chunks (100 zero)
                  moved     512.0 MiB of device memory, 1.0 GiB left out as rebuildable
                  pause     1.3 s
                  workload  alive
                """);
        assertThat(err()).isEqualTo("""
                preflight  done in N s
                store  done in N s
                """);
        Task.Save request = (Task.Save) node.ran.getFirst().request();
        assertThat(request.workload()).isEqualTo(new Task.Process(4711, 99, "llm"));
        assertThat(request.afterSave()).isEqualTo("KEEP_RUNNING");
        assertThat(node.closed).isTrue();
    }

    @Test
    void takesPidEngineFactsAndWhatToDoAfterwards() {
        int status = run("save", "--pid", "4711", "--engine", "criu+cuda", "--stop", "--fact", "image=llm:3");

        assertThat(status).isZero();
        Task.Save request = (Task.Save) node.ran.getFirst().request();
        assertThat(request.engine()).isEqualTo("criu+cuda");
        assertThat(request.afterSave()).isEqualTo("STOP");
        assertThat(request.facts()).isEqualTo(Map.of("image", "llm:3"));
    }

    @Test
    void theFullEngineIsTheDefaultWhereItIsAvailable() {
        node.capabilities.set(1, new io.gpusnap.node.client.Inventory.Capability("criu+cuda", true, null));

        run("save", "--pid", "4711");

        assertThat(((Task.Save) node.ran.getFirst().request()).engine()).isEqualTo("criu+cuda");
    }

    @Test
    void aFailureIsOneLineWithCodeAndMend() {
        node.failure = new StageException(FailureCode.INSUFFICIENT_SPACE, "nvme has 1 GiB free, 3 GiB are needed");

        int status = run("save", "--pid", "4711");

        assertThat(status).isEqualTo(1);
        assertThat(out()).isEmpty();
        assertThat(err()).isEqualTo("""
                        preflight  done in N s
                        store  failed
                        store  compensated
                        preflight  compensated
                        INSUFFICIENT_SPACE: store: nvme has 1 GiB free, 3 GiB are needed; free space there, or delete snapshots
                        """);
        assertThat(journal().all()).isEmpty();
    }

    @Test
    void whatIsNotThereIsSaid() {
        assertThat(run("save", "--pid", "1")).isEqualTo(1);
        assertThat(run("save", "--workload", "other")).isEqualTo(1);
        assertThat(err()).isEqualTo("""
                WORKLOAD_NOT_FOUND: there is no process 1; gpusnap-node workloads lists what runs here
                WORKLOAD_NOT_FOUND: no workload is named other; gpusnap-node workloads lists what runs here
                """);
    }

    @Test
    void switchesToASuspendedWorkload() {
        int status = run("switch", ToyNode.SNAPSHOT.toString(), "--from", "llm", "--suspend-others");

        assertThat(status).isZero();
        Task.Switch request = (Task.Switch) node.ran.getFirst().request();
        assertThat(request.snapshotId()).isEqualTo(ToyNode.SNAPSHOT);
        assertThat(request.policy()).isEqualTo("SUSPEND_OTHERS");
        assertThat(request.candidates())
                .singleElement()
                .satisfies(candidate -> assertThat(candidate.workload()).isEqualTo(new Task.Process(4711, 99, "llm")));
        assertThat(out()).isEqualTo("""
                workload llm runs as pid 4711 after 3.8 s
                  suspended llm as ID
                """);
        assertThat(run("switch", ToyNode.SNAPSHOT.toString(), "--from", "nobody"))
                .isEqualTo(ExitCode.FAILED);
        assertThat(err()).contains("WORKLOAD_NOT_FOUND: no running workload is named nobody");
    }

    @Test
    void thawsWithTheManifestThatItRead() {
        int status = run("thaw", ToyNode.SNAPSHOT.toString(), "--gpu", "0=GPU-b");

        assertThat(status).isZero();
        assertThat(out()).isEqualTo("""
                workload llm runs as pid 4711 after 3.8 s
                  fill      50.0 GiB/s
                """);
        assertThat(node.ran.getFirst().request())
                .isEqualTo(new Task.Thaw(
                        ToyNode.SNAPSHOT, "suspend", "d".repeat(64), Map.of(0, "GPU-b"), null, null, null));
    }

    @Test
    void thawsIntoTheContainerOfAPod() {
        int status = run("thaw", ToyNode.SNAPSHOT.toString(), "--pod-uid", "u-1", "--container", "c1");

        assertThat(status).isZero();
        assertThat(node.ran.getFirst().request())
                .isEqualTo(new Task.Thaw(
                        ToyNode.SNAPSHOT,
                        "suspend",
                        "d".repeat(64),
                        Map.of(),
                        null,
                        new Task.Container("u-1", "c1"),
                        null));
    }

    @Test
    void aContainerTakesItsPod() {
        assertThat(run("thaw", ToyNode.SNAPSHOT.toString(), "--container", "c1"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(node.ran).isEmpty();
    }

    @Test
    void inspectsListsVerifiesAndDeletes() {
        run("inspect", ToyNode.SNAPSHOT.toString());
        run("list");
        run("verify", ToyNode.SNAPSHOT.toString());
        run("delete", ToyNode.SNAPSHOT.toString());

        assertThat(out()).isEqualTo("""
                snapshot    ID
                needs GPU   0: Simulated H100
                ID  suspend  2026-01-01T00:00:00Z  4.5 GiB
                snapshot ID is whole: 1200 chunks
                snapshot ID deleted
                """);
    }

    @Test
    void inspectAsJsonIsTheManifestItself() {
        run("inspect", "--json", ToyNode.SNAPSHOT.toString());
        assertThat(out()).isEqualTo("{\"schema\":\"gpusnap.manifest/1\"}\n");
    }

    @Test
    void listsWorkloadsWithWhatSpeaksAgainstASave() {
        run("workloads");
        assertThat(out()).isEqualTo("""
                llm  pid 4711  RUNNING  4.0 GiB in 12 allocations
                  cannot be saved: WORKLOAD_UNSUPPORTED an io_uring descriptor is open
                """);
    }

    @Test
    void doctorSaysWhatWorksAndHowToGetTheRest() {
        assertThat(run("doctor")).isZero();
        assertThat(out()).isEqualTo("""
                ok       suspend
                missing  criu+cuda        no CRIU 4.1 or newer; apt-get install criu
                """);
    }

    @Test
    void doctorFailsWhereNotEvenSuspendWorks() {
        node.capabilities.set(0, new io.gpusnap.node.client.Inventory.Capability("suspend", false, "no NVIDIA driver"));
        assertThat(run("doctor", "--json")).isEqualTo(1);
        assertThat(out()).contains("\"name\" : \"suspend\"").contains("\"reason\" : \"no NVIDIA driver\"");
    }

    @Test
    void aNodeInUseIsLeftAloneAndItsHolderNamed() throws Exception {
        try (StateLock held = StateLock.acquire(state)) {
            assertThat(held).isNotNull();
            assertThat(run("list")).isEqualTo(3);
        }
        assertThat(err())
                .isEqualTo("NODE_IN_USE: process " + ProcessHandle.current().pid() + " works with " + state
                        + "; ask the service for this work, or stop that daemon first\n");
    }

    @ParameterizedTest
    @CsvSource({
        "doctor, false",
        "list, false",
        "workloads, false",
        "inspect ID, false",
        "verify ID, true",
        "save --pid 4711, true",
        "thaw ID, true",
        "delete ID, true",
    })
    void onlyCommandsThatWorkTakeTheNodesMemory(String line, boolean takesIt) {
        assertThat(run(line.replace("ID", ToyNode.SNAPSHOT.toString()).split(" ")))
                .isZero();
        assertThat(node.opened).isEqualTo(takesIt);
        assertThat(node.closed).isTrue();
    }

    @Test
    void doctorAsksTheDaemonThatHoldsTheNode() throws Exception {
        try (StateLock held = StateLock.acquire(state);
                MetricsServer daemon = MetricsServer.start(
                        new InetSocketAddress("127.0.0.1", 0),
                        Map.of(
                                "/capabilities",
                                () -> MetricsServer.Page.json("[{\"name\":\"suspend\",\"available\":true}]")))) {
            assertThat(held).isNotNull();
            assertThat(run("doctor", "--metrics-listen", "127.0.0.1:" + daemon.port()))
                    .isZero();
        }
        assertThat(out()).isEqualTo("ok       suspend\n");
    }

    @Test
    void whatAnEarlierCommandHadNotBegunIsGivenUpAndNotRun() {
        OperationId left = OperationId.random();
        Task.Save save = new Task.Save(
                UUID.randomUUID(), "suspend", new Task.Process(4711, 99, "llm"), "STOP", Map.of(), null, null);
        journal().create(new OperationSpec(left, OperationKind.SAVE, save), List.of());

        run("verify", ToyNode.SNAPSHOT.toString());

        assertThat(err()).startsWith("giving up operation ID (SAVE), which had not begun\n");
        assertThat(node.stagesRun).containsExactly("VERIFY preflight", "VERIFY store");
        assertThat(journal().all()).isEmpty();
    }

    @Test
    void whatAnEarlierCommandLeftIsCleanedUpFirst() {
        OperationId left = OperationId.random();
        leaveInItsFirstStage(new OperationSpec(left, OperationKind.VERIFY, new Task.Verify(ToyNode.SNAPSHOT, null)));

        run("verify", ToyNode.SNAPSHOT.toString());

        assertThat(err()).startsWith("cleaning up operation ID (VERIFY), which was cut off\n");
        assertThat(journal().all()).isEmpty();
        assertThat(node.forgottenAllBut).containsExactly(left);
    }

    @Test
    void aSnapshotThatIsNotWholeFailsTheInspection() {
        node.whole = false;
        assertThat(run("inspect", ToyNode.SNAPSHOT.toString())).isEqualTo(1);
    }

    @Test
    void aDaemonWithoutServiceSaysWhatToSet() {
        assertThat(run("run")).isEqualTo(2);
        assertThat(err()).startsWith("CONFIGURATION: service.url is not set; set it (--service-url)");
    }

    @Test
    void everyConfigurationProblemHasItsLine() {
        assertThat(run("list", "--memory-pool-bytes", "5", "--transfer-threads", "none"))
                .isEqualTo(2);
        assertThat(err()).isEqualTo("""
                        CONFIGURATION: memory.poolBytes (the flag --memory-pool-bytes) cannot be used: the pool is a multiple of 4 MiB and at least 16 MiB
                        CONFIGURATION: transfer.threads (the flag --transfer-threads) cannot be used: it is a number from 1 to 256
                        """);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "save",
                "thaw",
                "save --pid x",
                "inspect",
                "nonsense",
                "save --pid 1 --workload a",
                "thaw not-an-id"
            })
    void aWrongCommandLineIsOneLineAndStatusTwo(String line) {
        assertThat(run(line.split(" "))).isEqualTo(2);
        assertThat(err()).startsWith("USAGE: ").hasLineCount(1);
    }

    @Test
    void helpAndVersionAreThereForEveryCommand() {
        assertThat(run("--version")).isZero();
        assertThat(out()).startsWith("gpusnap-node ");
        assertThat(run("--help")).isZero();
        assertThat(out()).contains("doctor").contains("nvme.root").contains("--nvme-root");
        assertThat(run("save", "--help")).isZero();
        assertThat(out()).contains("--keep-running");
    }

    private int run(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        if (!all.contains("--help") && !all.contains("--version")) {
            all.addAll(List.of("--state-dir", state.toString()));
        }
        return NodeCommandLine.run(
                all.toArray(String[]::new),
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                false,
                Map.of(),
                node);
    }

    /** What the journal holds while the stage runs is what a SIGKILL at this moment leaves. */
    private void leaveInItsFirstStage(OperationSpec spec) {
        Path elsewhere = state.resolve("elsewhere");
        Stage copying = new Stage() {
            @Override
            public String name() {
                return "preflight";
            }

            @Override
            public void run(StageContext context) {
                String entry = spec.id().toString();
                try {
                    Path to = Files.createDirectories(state.resolve("journal").resolve(entry));
                    for (String file : List.of("spec.json", "events.log")) {
                        Files.copy(elsewhere.resolve(entry).resolve(file), to.resolve(file));
                    }
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        };
        new OperationRunner(Journal.open(elsewhere, Agent.FACTS), StageListener.NONE)
                .begin(spec, new StagePlan(spec.kind(), List.of(copying)))
                .run();
    }

    private Journal journal() {
        return Journal.open(state.resolve("journal"), Agent.FACTS);
    }

    private String out() {
        return stable(out.toString());
    }

    private String err() {
        return stable(err.toString());
    }

    private static String stable(String text) {
        return text.replaceAll("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID")
                .replaceAll("done in [0-9.]+ s", "done in N s");
    }

    @Test
    void anIdThatNobodyKnowsIsSaid() {
        assertThat(run("inspect", UUID.randomUUID().toString())).isEqualTo(1);
        assertThat(err()).isEqualTo("SNAPSHOT_NOT_FOUND: there is no snapshot ID; gpusnap-node list\n");
    }
}
