package io.gpusnap.node.operation;

import io.gpusnap.node.file.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The operations of this node, one directory each: {@code spec.json}, written once, with what was known from the
 * beginning, and {@code events.log}, appended to. An operation stays until {@link #forget}, so its outcome outlives any
 * crash until somebody has acknowledged it. One process at a time: {@link StateLock}. Thread-safe.
 */
public final class Journal {

    private static final Logger LOG = LoggerFactory.getLogger(Journal.class);
    private static final String SPEC = "spec.json";
    private static final String EVENTS = "events.log";
    private static final String DAMAGED = ".damaged";

    private final Path root;
    private final JournalCodec codec;
    private final Map<OperationId, OperationLog> logs = new LinkedHashMap<>();

    private Journal(Path root, JournalCodec codec) {
        this.root = root;
        this.codec = codec;
    }

    /**
     * Reads what earlier runs left. A directory without a spec never started and is removed; one that cannot be read is
     * renamed to {@code *.damaged}, said in the log, and left to a person.
     *
     * @throws JournalException when the folder itself cannot be used
     */
    public static Journal open(Path root, FactRegistry registry) {
        Journal journal = new Journal(root, new JournalCodec(registry));
        try {
            Files.createDirectories(root);
            List<Path> directories = Folders.list(root).stream()
                    .filter(child -> !child.toString().endsWith(DAMAGED))
                    .sorted()
                    .toList();
            for (Path directory : directories) {
                journal.load(directory);
            }
            return journal;
        } catch (IOException e) {
            throw new JournalException("cannot open the journal in " + root + ": " + e.getMessage(), e);
        }
    }

    /**
     * @param known facts that the operation must never be found without: durable in the same step
     * @throws JournalException when the operation is already known or cannot be made durable
     */
    public synchronized OperationLog create(OperationSpec spec, List<Record> known) {
        if (logs.containsKey(spec.id())) {
            throw new JournalException("operation " + spec.id() + " is already in the journal", null);
        }
        Path directory = root.resolve(spec.id().toString());
        try {
            Files.createDirectories(directory);
            OperationLog log = new OperationLog(spec, known, JournalFile.open(directory.resolve(EVENTS)), codec);
            DurableFiles.write(directory, SPEC, codec.write(spec, known));
            DurableFiles.syncDirectory(root);
            logs.put(spec.id(), log);
            return log;
        } catch (IOException e) {
            throw new JournalException("cannot write the journal in " + directory + ": " + e.getMessage(), e);
        }
    }

    public synchronized Optional<OperationLog> find(OperationId id) {
        return Optional.ofNullable(logs.get(id));
    }

    public synchronized List<OperationLog> all() {
        return List.copyOf(logs.values());
    }

    public List<OperationLog> unfinished() {
        return all().stream().filter(log -> !log.ended()).toList();
    }

    /**
     * Operations whose journal cannot be read. What they hold on the node (slots, images) is the only trace of what they
     * were about, so it stays until a person removed their folder.
     */
    public List<OperationId> damaged() {
        try {
            return Folders.list(root).stream()
                    .map(child -> child.getFileName().toString())
                    .filter(name -> name.endsWith(DAMAGED))
                    .map(name -> name.substring(0, name.length() - DAMAGED.length()))
                    .flatMap(name -> operationId(name).stream())
                    .toList();
        } catch (IOException e) {
            throw new JournalException("cannot list the journal in " + root + ": " + e.getMessage(), e);
        }
    }

    private static Optional<OperationId> operationId(String name) {
        try {
            return Optional.of(new OperationId(UUID.fromString(name)));
        } catch (IllegalArgumentException e) {
            return Optional.empty(); // somebody else's folder: no operation of ours is called so
        }
    }

    /** Removes an operation whose outcome somebody has taken over. Unknown ids are fine. */
    public synchronized void forget(OperationId id) {
        OperationLog log = logs.remove(id);
        if (log == null) {
            return;
        }
        log.close();
        try {
            // The spec goes first: without it the rest is no operation any more, wherever a crash stops the removal.
            Path directory = root.resolve(id.toString());
            Files.deleteIfExists(directory.resolve(SPEC));
            Folders.delete(directory);
            DurableFiles.syncDirectory(root);
        } catch (IOException e) {
            throw new JournalException("cannot remove operation " + id + " from the journal: " + e.getMessage(), e);
        }
    }

    private void load(Path directory) throws IOException {
        if (!Files.exists(directory.resolve(SPEC))) {
            Folders.delete(directory);
            return;
        }
        try {
            String text = Files.readString(directory.resolve(SPEC));
            OperationSpec spec = codec.readSpec(text);
            JournalFile events = JournalFile.open(directory.resolve(EVENTS));
            logs.put(spec.id(), new OperationLog(spec, codec.readKnown(text), events, codec));
        } catch (IOException | RuntimeException e) {
            Path aside = directory.resolveSibling(directory.getFileName() + DAMAGED);
            Files.move(directory, aside);
            LOG.atError()
                    .addKeyValue(LogKeys.PATH, aside)
                    .addKeyValue(LogKeys.REASON, e.getMessage())
                    .log("journal of an operation cannot be read and was moved aside");
        }
    }
}
