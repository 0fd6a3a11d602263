package io.gpusnap.node.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalTest {

    @TempDir
    Path folder;

    private final OperationId id = OperationId.random();
    private Path root;
    private Path events;

    @BeforeEach
    void runOneOperationToItsEnd() throws IOException {
        root = folder.resolve("journal");
        events = root.resolve(id.toString()).resolve("events.log");
        Path world = Files.createDirectories(folder.resolve("world"));
        ToyStage.Plan request = new ToyStage.Plan(world.toString(), true);
        new OperationRunner(Journal.open(root, ToyStage.FACTS), StageListener.NONE)
                .begin(new OperationSpec(id, OperationKind.SAVE, request), ToyStage.plan(request))
                .run();
    }

    @Test
    void aNewDaemonReadsSpecStagesFactsAndOutcomeBack() {
        OperationLog log = reopen().orElseThrow();

        assertThat(log.spec().kind()).isEqualTo(OperationKind.SAVE);
        assertThat(log.spec().request()).isInstanceOf(ToyStage.Plan.class);
        assertThat(log.recall(ToyStage.Touched.class)).contains(new ToyStage.Touched("seal"));
        assertThat(log.stages())
                .extracting(StageStatus::state)
                .containsExactly(StageState.COMPENSATED, StageState.COMPENSATED, StageState.COMPENSATED);
        assertThat(log.outcome()).get().isInstanceOfSatisfying(OperationOutcome.Failed.class, failed -> {
            assertThat(failed.code()).isEqualTo(FailureCode.CHUNK_CORRUPT);
            assertThat(failed.detail()).isEqualTo("made to fail");
        });
    }

    @Test
    void whatAnOperationMustNeverBeFoundWithoutIsThereFromItsFirstMoment() {
        OperationId other = OperationId.random();
        OperationSpec spec = new OperationSpec(other, OperationKind.SAVE, new ToyStage.Plan("/", false));
        Journal journal = Journal.open(root, ToyStage.FACTS);
        OperationLog created = journal.create(spec, List.of(new ToyStage.Touched("first")));
        assertThat(created.recall(ToyStage.Touched.class)).contains(new ToyStage.Touched("first"));

        OperationLog read = Journal.open(root, ToyStage.FACTS).find(other).orElseThrow();

        assertThat(read.state()).isEqualTo(OperationState.PENDING);
        assertThat(read.recall(ToyStage.Touched.class)).contains(new ToyStage.Touched("first"));
        created.remember(new ToyStage.Touched("later"));
        OperationLog after = Journal.open(root, ToyStage.FACTS).find(other).orElseThrow();
        assertThat(after.recall(ToyStage.Touched.class)).contains(new ToyStage.Touched("later"));
    }

    /** After a downgrade: a newer daemon may tell more in a record, but must not tell it in a record of its own. */
    @Test
    void whatANewerDaemonAddsToARecordIsPassedOver() throws IOException {
        OperationId other = OperationId.random();
        Journal.open(root, ToyStage.FACTS)
                .create(
                        new OperationSpec(other, OperationKind.SAVE, new ToyStage.Plan("/", false)),
                        List.of(new ToyStage.Touched("first")));
        Path spec = root.resolve(other.toString()).resolve("spec.json");
        String before = Files.readString(spec);
        String after = before.replace("\"first\"", "\"first\",\"newer\":5");
        assertThat(after).isNotEqualTo(before);
        Files.writeString(spec, after);

        assertThat(Journal.open(root, ToyStage.FACTS).find(other).orElseThrow().recall(ToyStage.Touched.class))
                .contains(new ToyStage.Touched("first"));
    }

    @Test
    void aStepThatMayNotFollowIsRefusedBeforeItIsWritten() {
        OperationSpec spec = new OperationSpec(OperationId.random(), OperationKind.SAVE, new ToyStage.Plan("/", false));
        Journal journal = Journal.open(root, ToyStage.FACTS);
        OperationLog log = journal.create(spec, List.of());
        log.append(new JournalEvent.StageChanged("seal", StageState.RUNNING, 1, 0, 0, Instant.now()));

        assertThatIllegalStateException()
                .isThrownBy(() -> log.append(new JournalEvent.Ended(new OperationOutcome.Failed(
                        FailureCode.INTERNAL, "no undo was begun", Optional.of("seal"), false, List.of()))));

        Journal again = Journal.open(root, ToyStage.FACTS);
        assertThat(again.damaged()).isEmpty();
        assertThat(again.find(spec.id()).orElseThrow().state()).isEqualTo(OperationState.RUNNING);
    }

    @Test
    void aJournalCutAtAnyByteIsReadUpToItsLastWholeLineAndCanBeContinued() throws IOException {
        byte[] whole = Files.readAllBytes(events);
        // Every byte of the first and the last line; between them a step that meets each place of a line somewhere.
        int firstLine = new String(whole, StandardCharsets.UTF_8).indexOf('\n') + 1;
        int lastLine = new String(whole, 0, whole.length - 1, StandardCharsets.UTF_8).lastIndexOf('\n');
        for (int length = 0; length < whole.length; length += length < firstLine || length >= lastLine ? 1 : 13) {
            Files.write(events, Arrays.copyOf(whole, length));

            OperationLog log = reopen().orElseThrow();

            assertThat(log.ended()).as("cut at byte %d", length).isFalse();
            log.remember(new ToyStage.Touched("after the cut"));
            log.close();
            assertThat(reopen().orElseThrow().recall(ToyStage.Touched.class))
                    .as("continued after a cut at byte %d", length)
                    .contains(new ToyStage.Touched("after the cut"));
        }
    }

    @Test
    void garbageAtTheEndIsCutOff() throws IOException {
        byte[] whole = Files.readAllBytes(events);
        byte[] padded = Arrays.copyOf(whole, whole.length + 100);
        Files.write(events, padded);

        assertThat(reopen().orElseThrow().ended()).isTrue();
    }

    @Test
    void damageBeforeTheEndIsNotGuessedAwayButPutAside() throws IOException {
        byte[] whole = Files.readAllBytes(events);
        whole[whole.length / 2] ^= 1;
        Files.write(events, whole);

        assertThat(reopen()).isEmpty();
        assertThat(root.resolve(id + ".damaged")).isDirectory();
        assertThat(Journal.open(root, ToyStage.FACTS).damaged()).containsExactly(id);
    }

    @Test
    void aClassThatNobodyRegisteredIsNeitherWrittenNorRead() throws IOException {
        record Stranger(String text) {}
        OperationLog log = reopen().orElseThrow();
        assertThatThrownBy(() -> log.remember(new Stranger("hello")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not registered");

        Path spec = root.resolve(id.toString()).resolve("spec.json");
        Files.writeString(spec, Files.readString(spec).replace("\"Plan\"", "\"java.lang.Runtime\""));
        assertThat(reopen()).isEmpty();
    }

    @Test
    void twoClassesOfOneSimpleNameAreRefused() {
        record Plan(int other) {}
        assertThatThrownBy(() -> ToyStage.FACTS.plus(FactRegistry.of(Plan.class)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("share a simple name");
    }

    @Test
    void aForgottenOperationIsGoneForGood() {
        Journal journal = Journal.open(root, ToyStage.FACTS);
        journal.forget(id);

        assertThat(journal.find(id)).isEmpty();
        assertThat(reopen()).isEmpty();
        assertThat(root.resolve(id.toString())).doesNotExist();
    }

    @Test
    void anOperationThatDiedBeforeItsSpecWasDurableNeverWas() throws IOException {
        Path halfMade =
                Files.createDirectories(root.resolve(OperationId.random().toString()));
        Files.writeString(halfMade.resolve("spec.json.tmp"), "{\"id\"", StandardCharsets.UTF_8);

        Journal journal = Journal.open(root, ToyStage.FACTS);

        assertThat(journal.all()).hasSize(1);
        assertThat(halfMade).doesNotExist();
    }

    @Test
    void anIdIsUsedOnce() {
        Journal journal = Journal.open(root, ToyStage.FACTS);
        OperationSpec again = new OperationSpec(id, OperationKind.SAVE, new ToyStage.Plan("/", false));
        assertThatThrownBy(() -> journal.create(again, List.of())).isInstanceOf(JournalException.class);
    }

    @Test
    void aLineThatFailedHalfWayDoesNotSpoilTheNextOne() throws IOException {
        JournalFile file = JournalFile.open(folder.resolve("lines"));
        file.append("first");
        Files.writeString(folder.resolve("lines"), "0000 torn by a full disk", java.nio.file.StandardOpenOption.APPEND);
        file.append("second");
        file.close();

        assertThat(JournalFile.open(folder.resolve("lines")).linesAtOpening()).isEqualTo(List.of("first", "second"));
    }

    @Test
    void whatAMachineLosesBehindTheLastDurableLineIsCutOffInWhateverOrderItGotLost() throws IOException {
        Path path = folder.resolve("lines");
        JournalFile file = JournalFile.open(path);
        file.append("one");
        file.appendDurably("two");
        int durable = Files.readAllBytes(path).length;
        file.append("three");
        file.append("four");
        file.append("five");
        file.close();
        byte[] whole = Files.readAllBytes(path);
        List<String> all = List.of("one", "two", "three", "four", "five");
        for (int from = durable; from < whole.length; from++) {
            for (int to : new int[] {from + 1, whole.length - 1, whole.length}) {
                byte[] crashed = whole.clone();
                Arrays.fill(crashed, from, Math.max(from + 1, to), (byte) 0);
                Files.write(path, crashed);

                JournalFile read = JournalFile.open(path);

                List<String> expected = all.subList(0, 2 + linesBefore(whole, durable, from));
                assertThat(read.linesAtOpening())
                        .as("zeros from %d to %d", from, to)
                        .isEqualTo(expected);
                read.append("after");
                read.close();
                assertThat(JournalFile.open(path).linesAtOpening())
                        .as("continued after zeros from %d to %d", from, to)
                        .startsWith(expected.toArray(new String[0]))
                        .endsWith("after")
                        .hasSize(expected.size() + 1);
            }
        }
    }

    private static int linesBefore(byte[] content, int start, int end) {
        return (int) new String(content, start, end - start, StandardCharsets.UTF_8)
                .chars()
                .filter(one -> one == '\n')
                .count();
    }

    @Test
    void aBadLineThatALaterOneCallsDurableIsDamageWhereverItIs() throws IOException {
        Path path = folder.resolve("lines");
        JournalFile file = JournalFile.open(path);
        file.append("one");
        file.appendDurably("two");
        int durable = Files.readAllBytes(path).length;
        file.append("three");
        file.close();
        byte[] whole = Files.readAllBytes(path);
        // All but its last newline: without that the line that tells is a part of the bad one.
        for (int at = 0; at < durable - 1; at++) {
            byte[] damaged = whole.clone();
            damaged[at] ^= 1;
            Files.write(path, damaged);

            assertThatThrownBy(() -> JournalFile.open(path))
                    .as("byte %d", at)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("is damaged at byte");
        }
    }

    @Test
    void linesOfEarlierVersionsAreReadAsEachSynced() throws IOException {
        Path path = folder.resolve("lines");
        String earlier = "cff7d56a {\"a\":1}\nb323cd07 {\"b\":2}\n";
        Files.writeString(path, earlier);
        JournalFile file = JournalFile.open(path);
        assertThat(file.linesAtOpening()).containsExactly("{\"a\":1}", "{\"b\":2}");
        file.append("new");
        file.close();
        assertThat(JournalFile.open(path).linesAtOpening()).containsExactly("{\"a\":1}", "{\"b\":2}", "new");

        Files.writeString(path, earlier.replace(":1", ":7"));
        assertThatThrownBy(() -> JournalFile.open(path)).hasMessageContaining("is damaged at byte 0");
    }

    @Test
    void anOperationIsSyncedBeforeWhatOutlivesTheMachineAndAtItsEndOnly() throws IOException {
        // given stages of which one changes what lasts
        OperationId other = OperationId.random();
        Path log = root.resolve(other.toString()).resolve("events.log");
        StagePlan plan = new StagePlan(
                OperationKind.SAVE,
                List.of(remembering("look", false), remembering("keep", true), remembering("tell", false)));
        OperationSpec spec = new OperationSpec(other, OperationKind.SAVE, new ToyStage.Plan("/", false));
        // when
        new OperationRunner(Journal.open(root, ToyStage.FACTS), StageListener.NONE)
                .begin(spec, plan)
                .run();
        // then the lines of the first one, and the start of the second, are durable together
        List<String> durable = Files.readAllLines(log).stream()
                .map(line -> line.substring(line.indexOf('@') + 1, line.indexOf(' ')))
                .toList();
        assertThat(durable).hasSize(10);
        assertThat(durable.subList(0, 4)).containsOnly("0");
        assertThat(durable.subList(4, 10)).doesNotHaveDuplicates().doesNotContain("0");
    }

    private static Stage remembering(String name, boolean lasting) {
        return new Stage() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public boolean lasting() {
                return lasting;
            }

            @Override
            public void run(StageContext context) {
                context.remember(new ToyStage.Touched(name));
            }
        };
    }

    private Optional<OperationLog> reopen() {
        return Journal.open(root, ToyStage.FACTS).find(id);
    }
}
